#include "common/system/unfinished_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace yolod::common {

UnfinishedFile::UnfinishedFile(const std::filesystem::path& target) : named_(target) {
  std::error_code status;
  target_ = std::filesystem::weakly_canonical(target, status);
  if (status) target_ = target;
  if (std::filesystem::exists(target_, status) && !std::filesystem::is_regular_file(target_, status)) {
    error_ = std::filesystem::is_directory(target_, status) ? EISDIR : EINVAL;
    return;
  }
  path_ = target_.string() + ".unfinished-" + std::to_string(getpid());
  file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  is_there_ = file_.valid();
  if (!is_there_) error_ = errno;
}

UnfinishedFile::~UnfinishedFile() {
  if (is_there_) ::unlink(path_.c_str());
}

void UnfinishedFile::write(const void* bytes, std::size_t count) {
  const auto* next = static_cast<const char*>(bytes);
  while (error_ == 0 && count > 0) {
    const auto written = ::write(file_.get(), next, count);
    if (written < 0) {
      if (errno != EINTR) error_ = errno;
      continue;
    }
    next += written;
    count -= static_cast<std::size_t>(written);
  }
}

Outcome<void> UnfinishedFile::finish() {
  if (error_ == 0 && ::close(file_.release()) != 0) error_ = errno;
  if (error_ == 0 && ::rename(path_.c_str(), target_.c_str()) != 0) error_ = errno;
  if (error_ != 0) return system_error(named_.string(), error_);
  is_there_ = false;
  return {};
}

}  // namespace yolod::common
