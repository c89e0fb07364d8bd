// Fault case 22: too little memory, or too small a limit on files, is told before anything is allocated.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/after_case.hpp"
#include "tests/support/memory_cgroup.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

void check_one_clear_line(Server& server) {
  CHECK(server.wait_for_exit() == exited(1));
  CHECK(server.log_lines_with("error").size() == 1);
  CHECK(server.log_lines_with("listening on").empty());
  check_after_exit(server, baseline(server));
}

}  // namespace

TEST_CASE("MemoryLimit: a file size limit below the arena is one clear line and exit 1", "[process][case22]") {
  ServerOptions options;
  options.config = identity_config({{.workers = 2}});
  options.limits = {{RLIMIT_FSIZE, kMiB}};
  Server server(std::move(options));

  check_one_clear_line(server);
  CHECK_FALSE(server.log_lines_with("RLIMIT_FSIZE").empty());
}

TEST_CASE("MemoryLimit: a cgroup below arena and lanes is one clear line and exit 1, not an OOM kill",
          "[process][case22]") {
  std::string reason;
  const auto group = MemoryCgroup::create(128 * kMiB, reason);
  if (!group) {
    WARN("SKIPPED: " << reason);
    return;
  }
  ServerOptions options;
  options.config = identity_config({{.workers = 2}});
  options.arguments = {"--set", "memory.input_arena=512MiB"};
  const std::string procs = group->procs_file();
  options.before_exec = [&procs] {
    const int file = ::open(procs.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0 || ::write(file, "0", 1) != 1) ::_exit(125);
    ::close(file);
  };
  Server server(std::move(options));

  check_one_clear_line(server);
  CHECK(group->oom_kills() == 0);
  CHECK_FALSE(server.log_lines_with("cgroup").empty());
}

}  // namespace yolod::tests
