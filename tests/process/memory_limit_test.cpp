// Fault case 22: the server reports too little memory, or too small a limit on files, before it allocates anything.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "tests/support/after_case.hpp"
#include "tests/support/memory_cgroup.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

// Checks that the server reports the lack of memory in one line with `reason`, and exits before it starts anything.
void check_one_clear_line(ServerOptions options, const std::string& reason) {
  Baseline before;
  before.shared_memory_names = shared_memory_names();
  Server server(std::move(options));
  CHECK(server.wait_for_exit() == exited(1));
  const auto errors = server.log_lines_with("error");
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors.front(), Catch::Contains("shared memory needs") && Catch::Contains(reason));
  CHECK(server.log_lines_with("listening on").empty());
  check_after_exit(server, before);
}

// A config that needs more than 128 MiB, either for the arena or for the lanes of many workers with large batches.
struct TooMuch {
  std::string what;
  IdentityModel model;
  std::string arena;
};
const TooMuch kLargeArena{"the arena", {.workers = 2}, "512MiB"};
const TooMuch kLargeLanes{"the lanes", {.workers = 32, .keys = {"batch: {max_size: 256}"}}, "1MiB"};

ServerOptions options_for(const TooMuch& much) {
  ServerOptions options;
  options.config = identity_config({much.model}, {"max_body_bytes: 256KiB"});
  options.arguments = {"--set", "memory.input_arena=" + much.arena};
  return options;
}

// Writes limits for both versions of cgroups into a folder that replaces /sys/fs/cgroup. The limits are at the top,
// above every group.
void write_limit(const TemporaryDirectory& folder, std::uint64_t bytes) {
  std::filesystem::create_directory(folder.path() / "memory");
  folder.write("memory.max", std::to_string(bytes) + "\n");
  folder.write("memory.current", "0\n");
  folder.write("memory/memory.limit_in_bytes", std::to_string(bytes) + "\n");
  folder.write("memory/memory.usage_in_bytes", "0\n");
}

// Runs in a child between fork and exec. Returns whether the program that follows will see `folder` at
// /sys/fs/cgroup.
bool show_as_cgroups(const char* folder) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount(folder, "/sys/fs/cgroup", nullptr, MS_BIND, nullptr) == 0;
}

bool can_show_as_cgroups(const char* folder) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(show_as_cgroups(folder) ? 0 : 1);
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

TEST_CASE("MemoryLimit: a file size limit below the arena is one clear line and exit 1", "[process][case22]") {
  ServerOptions options;
  options.config = identity_config({{.workers = 2}});
  options.limits = {{RLIMIT_FSIZE, kMiB}};
  check_one_clear_line(std::move(options), "RLIMIT_FSIZE");
}

TEST_CASE("MemoryLimit: a file size limit below one lane is one clear line and exit 1", "[process][case22]") {
  auto options = options_for(kLargeLanes);
  options.limits = {{RLIMIT_FSIZE, 2 * kMiB}};
  check_one_clear_line(std::move(options), "RLIMIT_FSIZE");
}

TEST_CASE("MemoryLimit: more than the machine has is one clear line and exit 1", "[process][case22]") {
  ServerOptions options;
  options.config = identity_config({{.workers = 2}});
  options.arguments = {"--set", "memory.input_arena=1024GiB"};
  check_one_clear_line(std::move(options), "/proc/meminfo");
}

TEST_CASE("MemoryLimit: a cgroup below arena and lanes is one clear line and exit 1, not an OOM kill",
          "[process][case22]") {
  std::string reason;
  const auto group = MemoryCgroup::create(128 * kMiB, reason);
  if (!group) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const TooMuch much = GENERATE(as<TooMuch>{}, kLargeArena, kLargeLanes);
  CAPTURE(much.what);
  auto options = options_for(much);
  const std::string procs = group->procs_file();
  options.before_exec = [&procs] {
    const int file = ::open(procs.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0 || ::write(file, "0", 1) != 1) ::_exit(125);
    ::close(file);
  };
  check_one_clear_line(std::move(options), "/sys/fs/cgroup");
  CHECK(group->oom_kills() == 0);
}

TEST_CASE("MemoryLimit: a limit in files that imitate a cgroup is one clear line and exit 1 too", "[process][case22]") {
  const TemporaryDirectory shown;
  write_limit(shown, 128 * kMiB);
  const std::string folder = shown.path().string();
  if (!can_show_as_cgroups(folder.c_str())) {
    WARN("SKIPPED: a mount namespace needs root");
    return;
  }
  const TooMuch much = GENERATE(as<TooMuch>{}, kLargeArena, kLargeLanes);
  CAPTURE(much.what);
  auto options = options_for(much);
  options.before_exec = [&folder] {
    if (!show_as_cgroups(folder.c_str())) ::_exit(125);
  };
  check_one_clear_line(std::move(options), "/sys/fs/cgroup");
}

TEST_CASE("MemoryLimit: a reload that would not fit beside the serving generation is refused before it loads",
          "[process]") {
  const TemporaryDirectory shown;
  const std::string folder = shown.path().string();
  write_limit(shown, 4096 * kMiB);
  if (!can_show_as_cgroups(folder.c_str())) {
    WARN("SKIPPED: a mount namespace needs root");
    return;
  }
  const std::string mode = GENERATE("preload: true", "preload: false");
  CAPTURE(mode);
  ServerOptions options;
  options.config = identity_config({{.workers = 2, .keys = {mode}}});
  options.before_exec = [&folder] {
    if (!show_as_cgroups(folder.c_str())) ::_exit(125);
  };
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  const auto workers = server.worker_pids();
  const auto reload = [&server] { return HttpClient(server.admin_endpoint()).post("/reload", ""); };
  // The server keeps 16 MiB for everything else, and the lanes take 2 MiB.
  const auto leave = [&shown](std::uint64_t used, std::uint64_t left) {
    write_limit(shown, used + left);
    for (const auto* const file : {"memory.current", "memory/memory.usage_in_bytes"}) {
      shown.write(file, std::to_string(used) + "\n");
    }
  };
  leave(1024 * kMiB, 19 * kMiB);
  const auto refused = reload();
  CAPTURE(refused);
  CHECK(refused.status == 500);
  CHECK(refused.body.find("reload: in_place") != std::string::npos);
  CHECK(server.worker_pids() == workers);
  CHECK(serves_next_request(server));
  leave(1024 * kMiB, 512 * kMiB);
  CHECK(reload().status == 200);
  CHECK(serves_next_request(server));
}

}  // namespace yolod::tests
