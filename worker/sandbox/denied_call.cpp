#include "worker/sandbox/denied_call.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "ipc/control.hpp"

namespace yolod::worker {
namespace {

// Written before the process is sealed, while no other thread can make a denied call.
DenialSettings g_settings;
ipc::MilestoneMessage g_message;
bool g_installed = false;
std::atomic<bool> g_told_soft{false};

// Reads the registers of the stopped call.
struct StoppedCall {
  std::array<std::uint64_t, 3> arguments{};
  std::uint64_t instruction{0};
};

#if defined(__x86_64__)
StoppedCall stopped_call(const ucontext_t& context) {
  const auto& registers = context.uc_mcontext.gregs;
  return {{static_cast<std::uint64_t>(registers[REG_RDI]), static_cast<std::uint64_t>(registers[REG_RSI]),
           static_cast<std::uint64_t>(registers[REG_RDX])},
          static_cast<std::uint64_t>(registers[REG_RIP])};
}
void set_result(ucontext_t& context, long value) { context.uc_mcontext.gregs[REG_RAX] = value; }
#elif defined(__aarch64__)
StoppedCall stopped_call(const ucontext_t& context) {
  const auto& registers = context.uc_mcontext.regs;
  return {{registers[0], registers[1], registers[2]}, context.uc_mcontext.pc};
}
void set_result(ucontext_t& context, long value) { context.uc_mcontext.regs[0] = static_cast<std::uint64_t>(value); }
#else
#error "worker/sandbox does not know this processor's registers"
#endif

// Builds a line of text without malloc or stdio.
class Line {
 public:
  Line& text(std::string_view value) {
    for (const char c : value) put(c);
    return *this;
  }
  Line& number(std::uint64_t value, unsigned base) {
    std::array<char, 20> digits{};
    std::size_t count = 0;
    do {
      digits[count++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    while (count != 0) put(digits[--count]);
    return *this;
  }
  void write_to(int descriptor) {
    put('\n');
    [[maybe_unused]] const auto written = ::write(descriptor, bytes_.data(), used_);
  }

 private:
  void put(char c) {
    if (used_ < bytes_.size()) bytes_[used_++] = c;
  }
  std::array<char, 256> bytes_{};
  std::size_t used_{0};
};

// Returns the path argument of a call that looks for a file, in this process's memory, or nullptr.
const char* path_of(int call, const StoppedCall& stopped) {
  switch (call) {
#if defined(__x86_64__)
    case SYS_open:
    case SYS_creat:
    case SYS_access:
    case SYS_stat:
    case SYS_lstat:
    case SYS_readlink: return reinterpret_cast<const char*>(stopped.arguments[0]);
#endif
    case SYS_openat:
    case SYS_openat2:
    case SYS_faccessat:
    case SYS_faccessat2:
    case SYS_statx:
    case SYS_readlinkat: return reinterpret_cast<const char*>(stopped.arguments[1]);
    default: return nullptr;
  }
}

// malloc() opens this file once, before it returns a thread's heap to the kernel, and works without it.
bool is_of_no_interest(const char* path) {
  return path != nullptr && std::strcmp(path, "/proc/sys/vm/overcommit_memory") == 0;
}

void report(int call, const StoppedCall& stopped) {
  Line line;
  line.text("yolod-worker ").number(static_cast<std::uint64_t>(::getpid()), 10);
  line.text(": the sandbox denied system call ").number(static_cast<std::uint64_t>(call), 10);
  line.text(" at 0x").number(stopped.instruction, 16).text(", arguments");
  for (const auto argument : stopped.arguments) line.text(" 0x").number(argument, 16);
  if (const char* const path = path_of(call, stopped)) line.text(", path ").text(path);
  line.write_to(STDERR_FILENO);
}

void tell_front_end(int call, int soft_errno, const char* path) {
  ipc::MilestoneMessage message = g_message;
  if (path != nullptr) {
    message.text_bytes = static_cast<std::uint32_t>(strnlen(path, sizeof message.text));
    std::memcpy(message.text, path, message.text_bytes);
  }
  message.denied_call = static_cast<std::uint32_t>(call);
  message.denied_errno = static_cast<std::uint32_t>(soft_errno);
  ::send(g_settings.control, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// The filter kills a process that makes this call. No signal handler can prevent this SIGSYS.
[[noreturn]] void end_by_sigsys() {
  constexpr std::size_t kBytesOfMask = 8;
  ::syscall(SYS_rt_sigaction, SIGSYS, nullptr, nullptr, kBytesOfMask);
  ::_exit(1);
}

// Async-signal-safe. SIGSYS is blocked meanwhile, so a denied call inside the handler ends the process.
void on_sigsys(int /*signal*/, siginfo_t* info, void* raw_context) {
  const int saved_errno = errno;
  auto& context = *static_cast<ucontext_t*>(raw_context);
  const int call = info->si_syscall;
  const StoppedCall stopped = stopped_call(context);
  if (g_settings.report) report(call, stopped);
  if (!denied_call_fails_softly(call)) {
    tell_front_end(call, 0, nullptr);
    end_by_sigsys();
  }
  const char* const path = path_of(call, stopped);
  if (!is_of_no_interest(path) && !g_told_soft.exchange(true)) tell_front_end(call, EACCES, path);
  set_result(context, -EACCES);
  errno = saved_errno;
}

}  // namespace

bool denied_call_fails_softly(int call) {
  switch (call) {
#if defined(__x86_64__)  // newer processor types do not have these calls
    case SYS_open:
    case SYS_creat:
    case SYS_access:
    case SYS_stat:
    case SYS_lstat:
    case SYS_readlink:
#endif
    case SYS_openat:
    case SYS_openat2:
    case SYS_faccessat:
    case SYS_faccessat2:
    case SYS_statx:
    case SYS_readlinkat:
    case SYS_getcwd: return true;
    default: return false;
  }
}

common::Outcome<void> catch_denied_calls(const DenialSettings& settings) {
  g_settings = settings;
  g_message = ipc::make_milestone(ipc::Milestone::kDenied, settings.launch_id);
  g_told_soft = false;
  if (g_installed) return {};
  struct sigaction action {};
  action.sa_sigaction = on_sigsys;
  action.sa_flags = SA_SIGINFO;
  sigfillset(&action.sa_mask);
  if (sigaction(SIGSYS, &action, nullptr) != 0) return common::last_system_error("cannot handle SIGSYS");
  g_installed = true;
  return {};
}

}  // namespace yolod::worker
