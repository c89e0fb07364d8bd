#include "common/system/sibling_program.hpp"

#include <unistd.h>

#include <system_error>

namespace yolod::common {

Outcome<std::filesystem::path> find_sibling_program(const std::string& name) {
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (failure) return system_error("cannot read /proc/self/exe", failure.value());
  const auto folder = self.parent_path();
  const auto installed = folder.parent_path() / "libexec/yolod";
  for (const auto& candidate : {folder / name, installed / name}) {
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return Error{ErrorCode::kSystem, name + " is neither beside " + self.string() + " nor in " + installed.string()};
}

}  // namespace yolod::common
