// A model without a network. It answers with the size and the checksum of the request's body, and misbehaves on
// request, so that tests need no real model.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::model {

// Waits for `load_delay` and then applies `load_fault`: exit calls _exit(1), crash raises SIGSEGV with its default
// action, hang never returns, and warm_up_crash raises SIGSEGV in warm_up(). The load fails in no other way.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> load_identity_model(const common::IdentitySource& source,
                                                                          const LoadContext& context);

// If `faults` is set, a body that begins with one of these words triggers the fault:
//   FAULT:segv      SIGSEGV              FAULT:hang      never returns
//   FAULT:abort     SIGABRT              FAULT:oom       exceeds a memory limit that it sets itself: SIGABRT
//   FAULT:exit      _exit(1)             FAULT:scribble  FaultHooks::scribble_lane(), then answers as usual
//   FAULT:ring      FaultHooks::ring_doorbell() without end
//   FAULT:print x   writes x to stderr   FAULT:flood x   writes x to stderr 100,000 times
// The calls of try_forbidden_call() are faults too: "FAULT:ptrace" tries the call on the front-end, and "FAULT:ptrace
// 4711" on process 4711. If the process survives, the answer is a 400 with the kernel's result. `loader_probe` is the
// call that a sealed loader tries. The model waits for `delay` once per batch, before the batch's faults.

}  // namespace yolod::model
