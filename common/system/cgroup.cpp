#include "common/system/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace yolod::common {
namespace {

void add_with_parents(std::vector<CgroupFolder>& folders, CgroupVersion version, const std::filesystem::path& mount,
                      const std::string& group) {
  // Normalise the path before it is appended: a group outside our namespace reads "/../other", and the result must
  // stay inside the mount.
  auto folder = mount / std::filesystem::path("/" + group).lexically_normal().relative_path();
  if (!folder.has_filename()) folder = folder.parent_path();
  for (;;) {
    folders.push_back({version, folder});
    if (folder == mount || folder == folder.parent_path()) return;
    folder = folder.parent_path();
  }
}

}  // namespace

std::vector<CgroupFolder> cgroup_folders(const std::string& controller, const std::filesystem::path& proc_self_cgroup,
                                         const std::filesystem::path& cgroup_root) {
  std::vector<CgroupFolder> folders;
  std::ifstream in(proc_self_cgroup);
  std::string line;
  // A line has the form `id:controllers:group`. In v2 the controllers are empty.
  while (std::getline(in, line)) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      add_with_parents(folders, CgroupVersion::kV2, cgroup_root, group);
      add_with_parents(folders, CgroupVersion::kV2, cgroup_root / "unified", group);
    } else if (("," + controllers + ",").find("," + controller + ",") != std::string::npos) {
      add_with_parents(folders, CgroupVersion::kV1, cgroup_root / controller, group);
    }
  }
  return folders;
}

std::uint64_t sum_of_lines(const std::filesystem::path& file, std::initializer_list<std::string_view> keys) {
  std::ifstream in(file);
  std::string line;
  std::uint64_t sum = 0;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string key;
    std::uint64_t value = 0;
    if (words >> key >> value && std::find(keys.begin(), keys.end(), key) != keys.end()) sum += value;
  }
  return sum;
}

}  // namespace yolod::common
