// A folder of its own for one test: made on construction, removed with all that is in it on destruction.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::tests {

class TemporaryDirectory {
 public:
  // Throws std::system_error where it cannot be made.
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Names of what lies in it, sorted.
  [[nodiscard]] std::vector<std::string> names() const;

  // Writes a file of that name and returns its path.
  std::filesystem::path write(const std::string& name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

// The whole file; empty where there is none.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace yolod::tests
