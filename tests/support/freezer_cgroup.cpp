#include "tests/support/freezer_cgroup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/support/deadline.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {
namespace {

namespace fs = std::filesystem;

// This process's own, in the version 1 freezer hierarchy or in the unified one.
fs::path parent_of_freezer(bool unified) {
  std::istringstream lines(read_file("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const auto relative = fs::path(line.substr(second + 1)).relative_path();
    if (unified && controllers == ",,") return fs::path("/sys/fs/cgroup") / relative;
    if (!unified && controllers.find(",freezer,") != std::string::npos) {
      return fs::path("/sys/fs/cgroup/freezer") / relative;
    }
  }
  return {};
}

bool write_text(const fs::path& file, const std::string& text) {
  std::ofstream stream(file);
  stream << text;
  stream.close();
  return static_cast<bool>(stream);
}

}  // namespace

std::unique_ptr<FreezerCgroup> FreezerCgroup::create(std::string& reason) {
  for (const bool unified : {false, true}) {
    const auto parent = parent_of_freezer(unified);
    if (parent.empty() || !fs::exists(parent / "cgroup.procs")) continue;
    const auto path = parent / ("yolod-freezer-" + std::to_string(::getpid()));
    std::error_code error;
    fs::create_directory(path, error);
    if (error) {
      reason = "no cgroup can be made: " + error.message();
      continue;
    }
    std::unique_ptr<FreezerCgroup> group(new FreezerCgroup(path, unified));
    if (fs::exists(path / (unified ? "cgroup.freeze" : "freezer.state"))) return group;
    reason = "no freezer in " + parent.string();
  }
  if (reason.empty()) reason = "no cgroup file system with a freezer";
  return nullptr;
}

FreezerCgroup::~FreezerCgroup() {
  (void)thaw();
  // Refused as busy until the last process in it is gone.
  (void)wait_until([this] { return ::rmdir(path_.c_str()) == 0 || !fs::exists(path_); });
}

bool FreezerCgroup::freeze() {
  if (!write_text(path_ / (unified_ ? "cgroup.freeze" : "freezer.state"), unified_ ? "1" : "FROZEN")) return false;
  return wait_until([this] {
    return unified_ ? read_file(path_ / "cgroup.events").find("frozen 1") != std::string::npos
                    : read_file(path_ / "freezer.state").starts_with("FROZEN");
  });
}

bool FreezerCgroup::thaw() {
  if (!write_text(path_ / (unified_ ? "cgroup.freeze" : "freezer.state"), unified_ ? "0" : "THAWED")) return false;
  return wait_until([this] {
    return unified_ ? read_file(path_ / "cgroup.events").find("frozen 0") != std::string::npos
                    : read_file(path_ / "freezer.state").starts_with("THAWED");
  });
}

void join_cgroup(const char* procs_file) {
  const int file = ::open(procs_file, O_WRONLY | O_CLOEXEC);
  [[maybe_unused]] const auto written = ::write(file, "0", 1);
  ::close(file);
}

}  // namespace yolod::tests
