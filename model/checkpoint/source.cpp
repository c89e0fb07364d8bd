#include "model/checkpoint/source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "model/bad_model.hpp"

namespace yolod::model::checkpoint {

using common::Outcome;

Source::Source(std::string name, common::UniqueFd descriptor, std::uint64_t size)
    : name_(std::move(name)), descriptor_(std::move(descriptor)), size_(size) {}

Outcome<Source> Source::open(const std::filesystem::path& file) {
  const auto name = file.string();
  const auto because = [&name](int error) { return bad_model(name + ": " + std::generic_category().message(error)); };
  // With O_NONBLOCK, opening a named pipe does not wait; the check below refuses it.
  common::UniqueFd descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor.valid()) return errno == ENOENT ? bad_model(name + ": no such file") : because(errno);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return because(errno);
  if (!S_ISREG(status.st_mode)) return bad_model(name + ": not a regular file");
  return Source(name, std::move(descriptor), static_cast<std::uint64_t>(status.st_size));
}

bool Source::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset > size_ || into.size() > size_ - offset) return false;
  while (!into.empty()) {
    const auto count = ::pread(descriptor_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    offset += static_cast<std::uint64_t>(count);
    into = into.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

Outcome<std::string> Source::text(std::uint64_t offset, std::uint64_t length) const {
  if (auto read = bytes(offset, length)) return std::move(*read);
  return bad_model(name_ + ": cut short or not readable: " + std::to_string(length) + " bytes are missing at byte " +
                   std::to_string(offset));
}

}  // namespace yolod::model::checkpoint
