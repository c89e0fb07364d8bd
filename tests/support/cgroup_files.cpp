#include "tests/support/cgroup_files.hpp"

#include <fstream>
#include <sstream>

#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

std::filesystem::path own_cgroup(std::string_view controller, bool unified) {
  const std::filesystem::path hierarchies = "/sys/fs/cgroup";
  const std::string wanted = "," + std::string(controller) + ",";
  std::istringstream lines(read_file("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    // ID:CONTROLLERS:PATH
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const auto relative = std::filesystem::path(line.substr(second + 1)).relative_path();
    if (unified && controllers == ",,") return hierarchies / relative;
    if (!unified && controllers.find(wanted) != std::string::npos) return hierarchies / controller / relative;
  }
  return {};
}

bool write_cgroup_value(const std::filesystem::path& file, const std::string& value) {
  std::ofstream stream(file);
  stream << value;
  stream.close();
  return static_cast<bool>(stream);
}

}  // namespace yolod::tests
