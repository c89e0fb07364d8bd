// Writes a file that appears under its name only when it is complete.
#pragma once

#include <cstddef>
#include <filesystem>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::common {

// The data goes to NAME.unfinished-PID beside the target. The destructor removes that file. One thread uses the
// object.
class UnfinishedFile {
 public:
  // If `target` is a link, the file behind the link is written. A target that exists and is not a file (a folder, a
  // device) is a failure.
  explicit UnfinishedFile(const std::filesystem::path& target);
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  ~UnfinishedFile();

  // Appends to the file. After a failure nothing more is written; finish() returns the first failure.
  void write(const void* bytes, std::size_t count);
  [[nodiscard]] bool failed() const { return error_ != 0; }

  // Closes the file and renames it to its target, replacing an existing file. Returns kSystem if any step failed,
  // also an earlier write(); the target is then unchanged.
  [[nodiscard]] Outcome<void> finish();

 private:
  std::filesystem::path named_;   // the path as requested
  std::filesystem::path target_;  // the path with links resolved
  std::filesystem::path path_;
  UniqueFd file_;
  bool is_there_{false};
  int error_{0};  // errno of the first failure
};

}  // namespace yolod::common
