#include "common/system/runtime_directory.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

namespace yolod::common {

namespace fs = std::filesystem;

std::vector<fs::path> runtime_directories() {
  std::vector<fs::path> directories;
  const auto add = [&directories](fs::path directory) {
    if (std::find(directories.begin(), directories.end(), directory) == directories.end()) {
      directories.push_back(std::move(directory));
    }
  };
  // systemd separates several directories by colons; yolod's unit has one.
  if (const char* given = std::getenv("RUNTIME_DIRECTORY"); given != nullptr && *given == '/') {
    const std::string_view text(given);
    add(std::string(text.substr(0, text.find(':'))));
  }
  const fs::path system = "/run/yolod";
  if (geteuid() == 0) add(system);
  if (const char* given = std::getenv("XDG_RUNTIME_DIR"); given != nullptr && *given == '/') {
    add(fs::path(given) / "yolod");
  }
  add(system);
  return directories;
}

fs::path admin_socket_in(const fs::path& directory) { return directory / "admin.sock"; }

}  // namespace yolod::common
