// The model without a network: answers with the size and checksum of what it was sent, and on request misbehaves, so
// that everything around a model can be tested without one.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::model {

// Honours `load_delay` and then `load_fault`: exit is _exit(1), crash is SIGSEGV by its default action, hang never
// returns; warm_up_crash is SIGSEGV in warm_up(). Needs nothing but the delay to load; cannot fail otherwise.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> load_identity_model(const common::IdentitySource& source,
                                                                          const LoadContext& context);

// With `faults`, a body that begins with one of these makes the process do it:
//   FAULT:segv      SIGSEGV              FAULT:hang      never returns
//   FAULT:abort     SIGABRT              FAULT:oom       runs out of memory under a limit of its own: SIGABRT
//   FAULT:exit      _exit(1)             FAULT:scribble  FaultHooks::scribble_lane(), then answers as usual
//   FAULT:ring      FaultHooks::ring_doorbell() without end
//   FAULT:print x   writes x to stderr   FAULT:flood x   writes x to stderr 100,000 times
// And what try_forbidden_call() knows: "FAULT:ptrace" tries it on the front-end, "FAULT:ptrace 4711" on that process.
// If that does not end the process, the answer is a 400 that says what the kernel said. `loader_probe` names one that
// the loader tries when it is sealed. `delay` passes once for a batch, before its faults.

}  // namespace yolod::model
