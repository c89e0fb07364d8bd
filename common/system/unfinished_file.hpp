// A file that appears under its name when all of it is written, and not before.
#pragma once

#include <cstddef>
#include <filesystem>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::common {

// Written beside its name, as NAME.unfinished-PID, which is gone at the end of its scope. One thread.
class UnfinishedFile {
 public:
  // Of a link, the file that it leads to. What is there and no file (a folder, a device) is a failure.
  explicit UnfinishedFile(const std::filesystem::path& target);
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  ~UnfinishedFile();

  // Appends to it. After a failure nothing is written any more; finish() tells of the first.
  void write(const void* bytes, std::size_t count);
  [[nodiscard]] bool failed() const { return error_ != 0; }

  // Closes it and gives it its name, in the place of a file that has it already. kSystem where anything of it failed,
  // the writing included: the name is left alone then.
  [[nodiscard]] Outcome<void> finish();

 private:
  std::filesystem::path named_;   // as it was asked for
  std::filesystem::path target_;  // without links
  std::filesystem::path path_;
  UniqueFd file_;
  bool is_there_{false};
  int error_{0};  // errno of the first failure
};

}  // namespace yolod::common
