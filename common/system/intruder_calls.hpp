// System calls that none of the sandboxed programs makes after its start. A process that makes one of them was taken
// over, so each sandbox denies them, and a filter never allows them.
#pragma once

#include <seccomp.h>

#include <initializer_list>

namespace yolod::common {

inline constexpr std::initializer_list<int> kCallsOfIntruders{SCMP_SYS(listen),
                                                              SCMP_SYS(accept),
                                                              SCMP_SYS(accept4),
                                                              SCMP_SYS(execve),
                                                              SCMP_SYS(execveat),
                                                              SCMP_SYS(process_vm_readv),
                                                              SCMP_SYS(process_vm_writev),
                                                              SCMP_SYS(pidfd_open),
                                                              SCMP_SYS(pidfd_getfd),
                                                              SCMP_SYS(pidfd_send_signal),
                                                              SCMP_SYS(rt_sigqueueinfo),
                                                              SCMP_SYS(rt_tgsigqueueinfo),
                                                              SCMP_SYS(io_uring_setup),
                                                              SCMP_SYS(io_uring_enter),
                                                              SCMP_SYS(io_uring_register),
                                                              SCMP_SYS(bpf),
                                                              SCMP_SYS(keyctl),
                                                              SCMP_SYS(add_key),
                                                              SCMP_SYS(request_key),
                                                              SCMP_SYS(userfaultfd),
                                                              SCMP_SYS(unshare),
                                                              SCMP_SYS(setns),
                                                              SCMP_SYS(mount),
                                                              SCMP_SYS(umount2),
                                                              SCMP_SYS(pivot_root),
                                                              SCMP_SYS(chroot),
                                                              SCMP_SYS(perf_event_open),
                                                              SCMP_SYS(open_by_handle_at),
                                                              SCMP_SYS(init_module),
                                                              SCMP_SYS(finit_module),
                                                              SCMP_SYS(kexec_load)};

}  // namespace yolod::common
