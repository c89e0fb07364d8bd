// Checks that no picture makes a decoder open a file or a socket, or start a process.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "model/image/codec/decode.hpp"
#include "model/image/codec/self_test.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/sample_pictures.hpp"

namespace {

constexpr std::array kDenied{SYS_openat, SYS_socket,    SYS_connect, SYS_execve, SYS_clone,  SYS_unlinkat,
                             SYS_ptrace, SYS_renameat2, SYS_kill,    SYS_write,  SYS_dup3,
#ifdef SYS_open
                             SYS_open,   SYS_creat,     SYS_fork,    SYS_vfork,  SYS_unlink, SYS_dup2,
#endif
                             SYS_writev};

// After this call, each denied system call kills this process.
bool deny_calls() {
  std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const auto call : kDenied) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

void decode_all(const std::vector<std::string>& files) {
  using namespace yolod::model::image;
  for (const auto& file : files) {
    const auto bytes = yolod::tests::bytes_of(file);
    for (const auto length : {bytes.size(), bytes.size() / 2, bytes.size() - 1}) {
      (void)decode(bytes.first(length), {.max_time = std::chrono::seconds(1)});
    }
  }
}

}  // namespace

TEST_CASE("DecodeSealed: no picture makes a decoder open, write, connect or start anything", "[model][unit]") {
  std::vector<std::string> files;
  for (const auto& sample : yolod::tests::sample_pictures()) files.push_back(sample.file);
  if (const auto cases = yolod::tests::fault_cases()) {
    for (const auto& entry : std::filesystem::directory_iterator(*cases)) {
      files.push_back(yolod::tests::read_file(entry.path()));
    }
    for (const auto& entry : std::filesystem::directory_iterator(*yolod::tests::test_data() / "odd")) {
      if (entry.is_regular_file()) files.push_back(yolod::tests::read_file(entry.path()));
    }
  }
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr int kNoFilter = 3;
    if (!deny_calls()) ::_exit(kNoFilter);
    decode_all(files);
    ::_exit(yolod::model::image::self_test().ok() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  INFO("status " << status);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
