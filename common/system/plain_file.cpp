#include "common/system/plain_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/error.hpp"

namespace yolod::common {

Outcome<UniqueFd> open_plain_file(const std::filesystem::path& path) {
  const Error not_plain{ErrorCode::kSystem, "is not a regular file"};
  struct stat named {};
  if (::stat(path.c_str(), &named) != 0) return last_system_error("cannot be opened");
  if (!S_ISREG(named.st_mode)) return not_plain;
  // O_NONBLOCK: another file may have taken the name since.
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.valid()) return last_system_error("cannot be opened");
  struct stat opened {};
  if (::fstat(file.get(), &opened) != 0) return last_system_error("cannot be opened");
  if (!S_ISREG(opened.st_mode)) return not_plain;
  return file;
}

Outcome<std::string> read_plain_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  constexpr std::size_t kPieceBytes = 64 * 1024;
  const auto file = open_plain_file(path);
  if (!file) return file.error();
  std::string text;
  // Read to the end instead of trusting an earlier size, because the file may grow meanwhile.
  for (;;) {
    const std::size_t before = text.size();
    text.resize(before + kPieceBytes);
    const ssize_t count = ::read(file->get(), text.data() + before, kPieceBytes);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return last_system_error("cannot be read");
    if (count == 0) return text;
    if (text.size() > limit_bytes) {
      return Error{ErrorCode::kSystem, "has more than " + std::to_string(limit_bytes) + " bytes"};
    }
  }
}

}  // namespace yolod::common
