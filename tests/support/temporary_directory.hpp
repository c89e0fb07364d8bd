// A temporary folder for one test. The constructor makes it, and the destructor removes it with its contents.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::tests {

class TemporaryDirectory {
 public:
  // Throws std::system_error if the folder cannot be made.
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Returns the sorted names in the folder.
  [[nodiscard]] std::vector<std::string> names() const;

  // Writes a file of that name and returns its path.
  std::filesystem::path write(const std::string& name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

// Returns the whole file, or an empty string if there is none.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace yolod::tests
