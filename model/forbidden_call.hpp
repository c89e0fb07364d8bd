// System calls that a sealed process must not get done, one by one: what the identity model's faults and its
// `loader_probe` try, so that tests can see each of them denied.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace yolod::model {

// Makes exactly the call of that name; nothing if there is none of that name.
//
//   open open_write socket connect exec ptrace kill tgkill mem pidfd_getfd process_vm_readv io_uring bpf keyctl
//   userfaultfd unshare mount memfd_create perf_event mmap_descriptor arena_write
//
// `target` is the process that ptrace, kill and the like aim at, with nothing worse than signal 0. `arena` is a part of
// the input arena, for arena_write. The result is 0 where the call was allowed, else its errno; a call that the sandbox
// ends the process for does not return.
[[nodiscard]] std::optional<int> try_forbidden_call(std::string_view name, pid_t target,
                                                    std::span<const std::byte> arena);

}  // namespace yolod::model
