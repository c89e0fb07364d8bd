#include "tests/support/memory_cgroup.hpp"

#include <unistd.h>

#include <sstream>

#include "tests/support/cgroup_files.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

namespace fs = std::filesystem;

std::unique_ptr<MemoryCgroup> MemoryCgroup::create(std::uint64_t limit_bytes, std::string& reason) {
  for (const bool unified : {false, true}) {
    const auto parent = own_cgroup("memory", unified);
    const fs::path limit = unified ? "memory.max" : "memory.limit_in_bytes";
    if (parent.empty() || !fs::exists(parent / "cgroup.procs")) continue;
    const auto path = parent / ("yolod-test-" + std::to_string(::getpid()));
    std::error_code error;
    fs::create_directory(path, error);
    if (error) {
      reason = "no cgroup can be made: " + error.message();
      continue;
    }
    std::unique_ptr<MemoryCgroup> group(new MemoryCgroup(path, unified));
    if (fs::exists(path / limit) && write_cgroup_value(path / limit, std::to_string(limit_bytes))) return group;
    reason = "the memory controller is not delegated to " + parent.string();
  }
  if (reason.empty()) reason = "no cgroup file system with a memory controller";
  return nullptr;
}

MemoryCgroup::~MemoryCgroup() {
  // rmdir() fails as busy until the last process in the group is gone.
  (void)wait_until([this] { return ::rmdir(path_.c_str()) == 0 || !fs::exists(path_); });
}

std::uint64_t MemoryCgroup::oom_kills() const {
  std::istringstream lines(read_file(path_ / (unified_ ? "memory.events" : "memory.oom_control")));
  std::string key;
  std::uint64_t value = 0;
  while (lines >> key >> value) {
    if (key == "oom_kill") return value;
  }
  return 0;
}

}  // namespace yolod::tests
