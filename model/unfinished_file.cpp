#include "model/unfinished_file.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace yolod::model {

UnfinishedFile::UnfinishedFile(std::filesystem::path target)
    : target_(std::move(target)), path_(target_.string() + ".unfinished") {
  errno = 0;
  stream_.open(path_, std::ios::binary | std::ios::trunc);
  note_failure();
}

UnfinishedFile::~UnfinishedFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

// Streams keep no reason: errno has that of the call that failed.
void UnfinishedFile::note_failure() {
  if (!stream_ && error_ == 0) error_ = errno != 0 ? errno : EIO;
}

void UnfinishedFile::write(const void* bytes, std::size_t count) {
  errno = 0;
  stream_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
  note_failure();
}

common::Outcome<void> UnfinishedFile::finish() {
  errno = 0;
  stream_.close();
  note_failure();
  if (failed()) return common::system_error(target_.string(), error_);
  std::error_code status;
  std::filesystem::rename(path_, target_, status);
  if (status) return common::system_error(target_.string(), status.value());
  return {};
}

}  // namespace yolod::model
