#include "tests/support/freezer_cgroup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "tests/support/cgroup_files.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

namespace fs = std::filesystem;

std::unique_ptr<FreezerCgroup> FreezerCgroup::create(std::string& reason) {
  for (const bool unified : {false, true}) {
    const auto parent = own_cgroup("freezer", unified);
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
  // rmdir() fails as busy until the last process in the group is gone.
  (void)wait_until([this] { return ::rmdir(path_.c_str()) == 0 || !fs::exists(path_); });
}

bool FreezerCgroup::freeze() {
  if (!write_cgroup_value(path_ / (unified_ ? "cgroup.freeze" : "freezer.state"), unified_ ? "1" : "FROZEN"))
    return false;
  return wait_until([this] {
    return unified_ ? read_file(path_ / "cgroup.events").find("frozen 1") != std::string::npos
                    : read_file(path_ / "freezer.state").starts_with("FROZEN");
  });
}

bool FreezerCgroup::thaw() {
  if (!write_cgroup_value(path_ / (unified_ ? "cgroup.freeze" : "freezer.state"), unified_ ? "0" : "THAWED"))
    return false;
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
