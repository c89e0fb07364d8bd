// A file that is read at any offset: the bytes below the readers of this folder. Hostile like all that is in it; it may
// even change while it is read, so a size that was true once is never relied upon for memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::model::checkpoint {

class Source {
 public:
  // Not a regular file, or unreadable: kBadModel, naming the file.
  [[nodiscard]] static common::Outcome<Source> open(const std::filesystem::path& file);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }  // when it was opened

  // Fills `into` from `offset` on; false where the file ends before, or cannot be read.
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) const;

  // The same as a string, which is only allocated when the file is that long.
  [[nodiscard]] common::Outcome<std::string> text(std::uint64_t offset, std::uint64_t length) const;

 private:
  Source(std::string name, common::UniqueFd descriptor, std::uint64_t size);

  std::string name_;
  common::UniqueFd descriptor_;
  std::uint64_t size_;
};

// Little-endian, from the first bytes of `from`, which must hold as many.
[[nodiscard]] std::uint64_t little_endian(std::span<const std::byte> from, std::size_t byte_count);

}  // namespace yolod::model::checkpoint
