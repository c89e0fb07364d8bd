#include "model/forbidden_call.hpp"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace yolod::model {
namespace {

struct Aim {
  pid_t target;
  std::span<const std::byte> arena;
};

// Returns the errno, or 0. It closes a descriptor that the call has opened.
int outcome_of(long result) { return result < 0 ? errno : 0; }
int outcome_of_descriptor(long descriptor) {
  if (descriptor < 0) return errno;
  ::close(static_cast<int>(descriptor));
  return 0;
}

int open_file(const char* path, int flags) {
  return outcome_of_descriptor(::syscall(SYS_openat, AT_FDCWD, path, flags, 0600));
}

int open_to_read(const Aim& /*aim*/) { return open_file("/etc/passwd", O_RDONLY | O_CLOEXEC); }
int open_to_write(const Aim& /*aim*/) { return open_file("/tmp/yolod-forbidden-file", O_WRONLY | O_CREAT | O_CLOEXEC); }
int open_memory(const Aim& aim) {
  std::array<char, 32> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/mem", static_cast<int>(aim.target));
  return open_file(path.data(), O_RDWR | O_CLOEXEC);
}

int make_socket(const Aim& /*aim*/) {
  return outcome_of_descriptor(::syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

// Tries connect() on a socket that the process has: the control channel, which may have any number.
int connect_socket(const Aim& /*aim*/) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(9);
  constexpr int kControl = 3;
  return outcome_of(::syscall(SYS_connect, kControl, &address, sizeof address));
}

int execute(const Aim& /*aim*/) {
  const std::array<const char*, 2> arguments{"true", nullptr};
  const std::array<const char*, 1> environment{nullptr};
  return outcome_of(::syscall(SYS_execve, "/bin/true", arguments.data(), environment.data()));
}

int trace(const Aim& aim) { return outcome_of(::syscall(SYS_ptrace, PTRACE_SEIZE, aim.target, nullptr, nullptr)); }
int signal_process(const Aim& aim) { return outcome_of(::syscall(SYS_kill, aim.target, 0)); }
int signal_thread(const Aim& aim) { return outcome_of(::syscall(SYS_tgkill, aim.target, aim.target, 0)); }

int read_process(const Aim& aim) {
  char byte = 0;
  const iovec here{&byte, 1};
  const iovec there{&byte, 1};
  return outcome_of(::syscall(SYS_process_vm_readv, aim.target, &here, 1, &there, 1, 0));
}

int take_descriptor(const Aim& aim) {
  const long process = ::syscall(SYS_pidfd_open, aim.target, 0);
  if (process < 0) return errno;
  const int result = outcome_of_descriptor(::syscall(SYS_pidfd_getfd, process, 0, 0));
  ::close(static_cast<int>(process));
  return result;
}

int use_io_uring(const Aim& /*aim*/) {
  io_uring_params parameters{};
  return outcome_of_descriptor(::syscall(SYS_io_uring_setup, 1, &parameters));
}

int use_bpf(const Aim& /*aim*/) {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 4;
  attributes.max_entries = 1;
  return outcome_of_descriptor(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

int use_keyctl(const Aim& /*aim*/) {
  return outcome_of(::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
}

int use_userfaultfd(const Aim& /*aim*/) {
  return outcome_of_descriptor(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
}

int enter_namespace(const Aim& /*aim*/) { return outcome_of(::syscall(SYS_unshare, CLONE_NEWUSER)); }
int mount_folder(const Aim& /*aim*/) {
  return outcome_of(::syscall(SYS_mount, "none", "/nowhere", "tmpfs", 0, nullptr));
}
int make_memfd(const Aim& /*aim*/) {
  return outcome_of_descriptor(::syscall(SYS_memfd_create, "forbidden", MFD_CLOEXEC));
}

int watch_performance(const Aim& aim) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  return outcome_of_descriptor(::syscall(SYS_perf_event_open, &attributes, aim.target, -1, -1, 0));
}

// Writes to the page of the arena in which a body begins.
int write_to_arena(const Aim& aim) {
  if (aim.arena.empty()) return EINVAL;
  const auto page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto* const page =
      reinterpret_cast<std::byte*>(reinterpret_cast<std::uintptr_t>(aim.arena.data()) & ~(page_bytes - 1));
  if (::mprotect(page, page_bytes, PROT_READ | PROT_WRITE) != 0) return errno;
  auto* const first = const_cast<std::byte*>(aim.arena.data());
  *first = static_cast<std::byte>(*first);
  return 0;
}

// Tries to map a descriptor of the process writable.
int map_descriptor(const Aim& /*aim*/) {
  constexpr int kFirst = 3;
  constexpr int kLast = 63;
  constexpr std::size_t kPage = 4096;
  int refusal = EBADF;
  for (int descriptor = kFirst; descriptor <= kLast; ++descriptor) {
    void* const map = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (map != MAP_FAILED) {
      ::munmap(map, kPage);
      return 0;
    }
    if (errno != EBADF) refusal = errno;
  }
  return refusal;
}

constexpr std::array<std::pair<std::string_view, int (*)(const Aim&)>, 21> kCalls{{
    {"open", open_to_read},
    {"open_write", open_to_write},
    {"socket", make_socket},
    {"connect", connect_socket},
    {"exec", execute},
    {"ptrace", trace},
    {"kill", signal_process},
    {"tgkill", signal_thread},
    {"mem", open_memory},
    {"pidfd_getfd", take_descriptor},
    {"process_vm_readv", read_process},
    {"io_uring", use_io_uring},
    {"bpf", use_bpf},
    {"keyctl", use_keyctl},
    {"userfaultfd", use_userfaultfd},
    {"unshare", enter_namespace},
    {"mount", mount_folder},
    {"memfd_create", make_memfd},
    {"perf_event", watch_performance},
    {"mmap_descriptor", map_descriptor},
    {"arena_write", write_to_arena},
}};

}  // namespace

std::optional<int> try_forbidden_call(std::string_view name, pid_t target, std::span<const std::byte> arena) {
  for (const auto& [known, call] : kCalls) {
    if (known == name) return call({target, arena});
  }
  return std::nullopt;
}

}  // namespace yolod::model
