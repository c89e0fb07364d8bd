// Tries, one by one, the system calls that a sealed process must not make. The identity model's faults and its
// `loader_probe` use it, so that tests can check that the kernel denies each call.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace yolod::model {

// Makes the system call `name`, and returns nullopt if there is no call of that name. The names are:
//
//   open open_write socket connect exec ptrace kill tgkill mem pidfd_getfd process_vm_readv io_uring bpf keyctl
//   userfaultfd unshare mount memfd_create perf_event mmap_descriptor arena_write
//
// `target` is the process for ptrace, kill and similar calls, which send only signal 0. `arena` is a part of the
// input arena, for arena_write. Returns 0 if the call was allowed, otherwise its errno. The function does not return
// if the sandbox ends the process.
[[nodiscard]] std::optional<int> try_forbidden_call(std::string_view name, pid_t target,
                                                    std::span<const std::byte> arena);

}  // namespace yolod::model
