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
#include "model/files/byte_source.hpp"

namespace yolod::model::checkpoint {

class Source final : public ByteSource {
 public:
  // Not a regular file, or unreadable: kBadModel, naming the file.
  [[nodiscard]] static common::Outcome<Source> open(const std::filesystem::path& file);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }  // when it was opened

  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) const override;

  // As bytes(); an Error (kBadModel) names the file.
  [[nodiscard]] common::Outcome<std::string> text(std::uint64_t offset, std::uint64_t length) const;

 private:
  Source(std::string name, common::UniqueFd descriptor, std::uint64_t size);

  std::string name_;
  common::UniqueFd descriptor_;
  std::uint64_t size_;
};

}  // namespace yolod::model::checkpoint
