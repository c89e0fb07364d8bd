#include "app/accounts/sandbox.hpp"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <initializer_list>
#include <string>
#include <system_error>

#include "common/fault_point.hpp"
#include "common/sanitizers.hpp"
#include "common/system/call_filter.hpp"
#include "common/system/intruder_calls.hpp"
#include "common/system/landlock.hpp"

namespace yolod::app::accounts {
namespace {

using common::CallFilter;
using common::Error;
using common::ErrorCode;
using common::FileRule;
using common::FileUse;
using common::Outcome;
using common::SandboxMode;
using common::SandboxState;

#if defined(YOLOD_INSTRUMENTED)
constexpr bool kInstrumentedAccounts = true;
#else
constexpr bool kInstrumentedAccounts = false;
#endif
// gcov makes no call that the process does not need itself, so a build that measures coverage has the whole filter.
#if defined(YOLOD_INSTRUMENTED) && !defined(YOLOD_COVERAGE)
constexpr bool kSanitizedAccounts = true;
#else
constexpr bool kSanitizedAccounts = false;
#endif

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

constexpr std::initializer_list<int> kCallsOfAll{
    // These are for memory, threads and time.
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(membarrier), SCMP_SYS(futex),
    SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getcpu), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // These are for the front-end's socket, events and the log.
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(eventfd2), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat),
    SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(fcntl),
    // These are for signals and the identity of the process.
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(getpid),
    SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrandom), SCMP_SYS(getrusage), SCMP_SYS(times),
    // The process needs these to open files. Landlock restricts which files it can open.
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getcwd)};

constexpr std::initializer_list<int> kCallsOfSqlite{
    SCMP_SYS(pread64),   SCMP_SYS(pwrite64), SCMP_SYS(fsync),  SCMP_SYS(fdatasync), SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate), SCMP_SYS(fchmod),   SCMP_SYS(fchown), SCMP_SYS(unlink),    SCMP_SYS(fstatfs)};

constexpr std::initializer_list<int> kCallsOfPostgres{
    SCMP_SYS(connect), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    SCMP_SYS(sendto),  SCMP_SYS(sendmsg),    SCMP_SYS(sendmmsg),   SCMP_SYS(shutdown),    SCMP_SYS(pread64)};

constexpr std::initializer_list<int> kCallsOfFaults{SCMP_SYS(unlink), SCMP_SYS(kill)};

void add_allowed(CallFilter& filter, bool sqlite) {
  filter.rules(SCMP_ACT_ALLOW, kCallsOfAll);
  filter.rules(SCMP_ACT_ALLOW, sqlite ? kCallsOfSqlite : kCallsOfPostgres);
  // The process gets no new executable memory.
  filter.allow(SCMP_SYS(mmap), {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
  filter.allow(SCMP_SYS(mprotect), {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
  // clone may make only threads. A filter cannot see the flags of clone3; without clone3 the C library calls clone.
  constexpr std::uint64_t kThreadFlags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
  filter.allow(SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, kThreadFlags, kThreadFlags)});
  filter.rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  filter.allow(SCMP_SYS(tgkill), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()))});  // abort()
  for (const int option : {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA}) {
    filter.allow(SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(option))});
  }
  filter.allow(SCMP_SYS(prlimit64),
               {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)});  // the process may read its own limits
  if (sqlite) {
    filter.allow(SCMP_SYS(sendto), {SCMP_A4(SCMP_CMP_EQ, 0)});  // only to the peer that the socket already has
  } else {
    for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
      filter.allow(SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))});
    }
    filter.allow(SCMP_SYS(ioctl), {SCMP_A1(SCMP_CMP_EQ, FIONREAD)});  // the resolver uses it
  }
  if (common::fault_token_folder()) filter.rules(SCMP_ACT_ALLOW, kCallsOfFaults);
}

Outcome<void> filter_calls(bool sqlite) {
  if (auto found = common::look_for_seccomp(); !found) return found;
  // The runtime of a sanitizer makes unpredictable calls.
  CallFilter filter(kSanitizedAccounts ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
  filter.rules(SCMP_ACT_KILL_PROCESS, common::kCallsOfIntruders);
  // The leak check of a sanitizer needs ptrace.
  if (!kSanitizedAccounts) filter.rule(SCMP_ACT_KILL_PROCESS, SCMP_SYS(ptrace));
  if (!kSanitizedAccounts) add_allowed(filter, sqlite);
  return filter.load();
}

std::vector<FileRule> file_rules(bool sqlite, const std::vector<std::filesystem::path>& files) {
  std::vector<FileRule> rules{{"/dev/urandom", FileUse::kRead}};
  for (const auto& file : files) rules.push_back({file, FileUse::kReadAndWrite});
  if (!sqlite) {
    // The resolver and OpenSSL read these files.
    for (const char* const path :
         {"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
          "/etc/ssl/openssl.cnf", "/etc/ssl/certs", "/usr/lib/ssl"}) {
      rules.push_back({path, FileUse::kRead});
    }
  }
  if (const auto folder = common::fault_token_folder()) rules.push_back({*folder, FileUse::kChange});
  if (kInstrumentedAccounts) {
    // A sanitizer reads the program for its reports; gcov writes beside the objects.
    std::error_code failure;
    rules.push_back({std::filesystem::read_symlink("/proc/self/exe", failure).parent_path(), FileUse::kChange});
    for (const char* const path : {"/usr", "/lib", "/lib64", "/proc", "/sys"}) rules.push_back({path, FileUse::kRead});
  }
  return rules;
}

}  // namespace

void hide_memory() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  if constexpr (!common::kSanitized) prctl(PR_SET_DUMPABLE, 0);  // a sanitizer's leak check needs ptrace
}

Outcome<SandboxState> seal(const protocol::Settings& settings, const std::vector<std::filesystem::path>& files) {
  SandboxState state;
  state.mode = settings.sandbox;
  if (state.mode == SandboxMode::kOff) return state;
  std::vector<Error> missing;
  const bool sqlite = !settings.sqlite_file.empty();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) missing.push_back(common::last_system_error("PR_SET_NO_NEW_PRIVS"));
  std::vector<std::uint16_t> ports;
  if (!sqlite && !settings.postgres.host.starts_with('/')) {
    constexpr std::uint16_t kDns = 53;
    ports = {settings.postgres.port, kDns};
  }
  if (const auto abi = common::restrict_by_landlock(file_rules(sqlite, files), ports)) {
    state.landlock_abi = *abi;
  } else {
    missing.push_back(abi.error());
  }
  if (auto filtered = filter_calls(sqlite)) {
    state.seccomp = true;
  } else {
    missing.push_back(filtered.error());
  }
  for (const Error& part : missing) state.missing += (state.missing.empty() ? "" : "; ") + part.message;
  if (state.mode == SandboxMode::kRequired && !missing.empty()) {
    return Error{ErrorCode::kSystem, "sandbox: required, but this system lacks a part of it: " + state.missing};
  }
  return state;
}

}  // namespace yolod::app::accounts
