// A file that can be read at any offset, for the readers of this folder. Its content is hostile and may change while
// it is read, so no allocation relies on an earlier size.
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
  // A path that is not a regular file, or cannot be read, is an Error (kBadModel) that names the file.
  [[nodiscard]] static common::Outcome<Source> open(const std::filesystem::path& file);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }  // when the file was opened

  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) const override;

  // As bytes(), but returns an Error (kBadModel) that names the file.
  [[nodiscard]] common::Outcome<std::string> text(std::uint64_t offset, std::uint64_t length) const;

 private:
  Source(std::string name, common::UniqueFd descriptor, std::uint64_t size);

  std::string name_;
  common::UniqueFd descriptor_;
  std::uint64_t size_;
};

}  // namespace yolod::model::checkpoint
