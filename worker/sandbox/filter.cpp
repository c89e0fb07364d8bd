#include "worker/sandbox/filter.hpp"

#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <unistd.h>

#include <asm/ioctls.h>
#include <cerrno>
#include <csignal>
#include <initializer_list>

#include "common/system/call_filter.hpp"
#include "common/system/intruder_calls.hpp"

namespace yolod::worker {
namespace {

using common::CallFilter;
using common::Outcome;

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

constexpr std::uint64_t kThreadFlags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
// CLONE_NEWTIME shares its bit with the exit signal's and is no flag of clone().
constexpr std::uint64_t kNamespaceFlags =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// Calls that a worker and a loader may make with any arguments.
constexpr std::initializer_list<int> kCallsOfAll{
    // Memory. oneDNN writes code and makes it executable while it serves, so mprotect stays unrestricted.
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
    SCMP_SYS(membarrier), SCMP_SYS(get_mempolicy),
    // Threads and time.
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getcpu), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // These use descriptors that are already open.
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(recvfrom), SCMP_SYS(close),
    SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(lseek), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(getdents64),
    // Signals.
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack),
    // The identity of the process, and the processor that it runs on.
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrandom), SCMP_SYS(getrusage)};

// A loader forks workers, and the workers seal themselves.
constexpr std::initializer_list<int> kCallsOfLoader{SCMP_SYS(wait4),
                                                    SCMP_SYS(setpgid),
                                                    SCMP_SYS(recvmsg),
                                                    SCMP_SYS(seccomp),
                                                    SCMP_SYS(landlock_create_ruleset),
                                                    SCMP_SYS(landlock_add_rule),
                                                    SCMP_SYS(landlock_restrict_self)};

constexpr std::initializer_list<int> kCallsOfFaultPoints{SCMP_SYS(unlink), SCMP_SYS(open),      SCMP_SYS(openat),
                                                         SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
                                                         SCMP_SYS(kill)};

// No model needs these calls, not even during the load. An instrumented build allows every other call, except
// common::kCallsOfIntruders.
constexpr std::initializer_list<int> kNeverNeeded{SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
                                                  SCMP_SYS(bind), SCMP_SYS(memfd_create)};

void deny_needless_calls(CallFilter& filter, std::uint32_t action) {
  filter.rules(action, kNeverNeeded);
  filter.rules(action, common::kCallsOfIntruders);
}

void add_allowed_calls(CallFilter& filter, const FilterSettings& settings) {
  const bool loader = settings.kind == FilterKind::kLoader;
  filter.rules(SCMP_ACT_ALLOW, kCallsOfAll);
  // The socket already has a peer, so the address must be null.
  filter.allow(SCMP_SYS(sendto), {SCMP_A4(SCMP_CMP_EQ, 0)});
  // F_SETOWN and similar commands are missing, because they make the kernel send a signal of the caller's choice to
  // another process.
  for (const int command : {F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC, F_GET_SEALS}) {
    filter.allow(SCMP_SYS(fcntl), {SCMP_A1(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command))});
  }
  if (loader) filter.allow(SCMP_SYS(fcntl), {SCMP_A1(SCMP_CMP_EQ, F_SETFL)});
  for (const int option : {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA}) {
    filter.allow(SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(option))});
  }
  // Allows the process to read its own limits.
  filter.allow(SCMP_SYS(prlimit64), {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)});
  if (settings.for_fault_points) filter.rules(SCMP_ACT_ALLOW, kCallsOfFaultPoints);
  if (!loader) {
    filter.allow(SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, kThreadFlags | kNamespaceFlags, kThreadFlags)});
    // abort() and raise() need this.
    filter.allow(SCMP_SYS(tgkill), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(settings.own_pid))});
    return;
  }
  filter.rules(SCMP_ACT_ALLOW, kCallsOfLoader);
  filter.allow(SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, kNamespaceFlags, 0)});
  // abort() and raise() need this. The rule cannot name the process's own pid, because a forked worker inherits the
  // filter and has another pid. The guard protects the front-end.
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(tgkill));
  for (const int option : {PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS}) {
    filter.allow(SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(option))});
  }
}

void add_denied_calls(CallFilter& filter, const FilterSettings& settings) {
  deny_needless_calls(filter, SCMP_ACT_TRAP);
  filter.rule(SCMP_ACT_TRAP, SCMP_SYS(sendto), {SCMP_A4(SCMP_CMP_NE, 0)});
  if (settings.for_fault_points) return;
  const scmp_arg_cmp not_allowed = settings.kind == FilterKind::kLoader
                                       ? SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(settings.front_end))
                                       : SCMP_A0(SCMP_CMP_NE, static_cast<scmp_datum_t>(settings.own_pid));
  filter.rule(SCMP_ACT_TRAP, SCMP_SYS(kill), {not_allowed});
  filter.rule(SCMP_ACT_TRAP, SCMP_SYS(tgkill), {not_allowed});
}

// Compares an argument that the kernel takes as an int. A filter sees all 64 bits, and the kernel ignores the upper
// half; a comparison of all bits could be evaded by a number with other upper bits.
scmp_arg_cmp first_as_int(int value) {
  constexpr scmp_datum_t kLower32 = 0xFFFFFFFF;
  return SCMP_A0(SCMP_CMP_MASKED_EQ, kLower32, static_cast<std::uint32_t>(value));
}

// Denies further calls in a second filter: of two filters, the stricter result counts.
Outcome<void> apply_guard(const FilterSettings& settings) {
  CallFilter guard(SCMP_ACT_ALLOW);
  guard.rule(SCMP_ACT_KILL_PROCESS, SCMP_SYS(rt_sigaction), {first_as_int(SIGSYS)});
  if (settings.kind == FilterKind::kLoader) {
    for (const int call : {SCMP_SYS(kill), SCMP_SYS(tgkill)}) {
      guard.rule(SCMP_ACT_TRAP, call, {first_as_int(settings.front_end)});
    }
  }
  return guard.load();
}

}  // namespace

Outcome<void> apply_load_filter() {
  if (auto found = common::look_for_seccomp(); !found) return found;
  CallFilter filter(SCMP_ACT_ALLOW);
  deny_needless_calls(filter, SCMP_ACT_ERRNO(EACCES));
  return filter.load();
}

Outcome<void> apply_filter(const FilterSettings& settings) {
  if (auto found = common::look_for_seccomp(); !found) return found;
  if (auto guarded = apply_guard(settings); !guarded) return guarded;
  CallFilter filter(kInstrumented ? SCMP_ACT_ALLOW : SCMP_ACT_TRAP);
  constexpr std::uint32_t kAsBinaryTree = 2;
  filter.attribute(SCMP_FLTATR_CTL_OPTIMIZE, kAsBinaryTree);
  if (kInstrumented) {
    add_denied_calls(filter, settings);
  } else {
    add_allowed_calls(filter, settings);
    filter.rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
    // The kernel skips these calls and reports success. With OMP_PROC_BIND a thread that cannot be bound would not
    // start, and a process that may bind others could bind the front-end.
    filter.rule(SCMP_ACT_ERRNO(0), SCMP_SYS(sched_setaffinity));
    // LibTorch moves large tensors to the NUMA node of the thread that made them, and fails if the call fails.
    filter.rule(SCMP_ACT_ERRNO(0), SCMP_SYS(mbind));
    // Several workers share the pipe behind standard error, and therefore its flags.
    if (settings.kind == FilterKind::kWorker) {
      filter.rule(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(fcntl), {SCMP_A1(SCMP_CMP_EQ, F_SETFL)});
    }
    filter.rule(SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), {SCMP_A1(SCMP_CMP_EQ, TCGETS)});
    filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(rt_sigaction));  // except the changes that the guard denies
  }
  return filter.load();
}

}  // namespace yolod::worker
