// The table of contents of a zip file whose entries are stored, as torch.save writes them. Any bytes are safe: what the
// table claims is checked against the file, and nothing is allocated that it does not hold.
//
// The format: PKWARE's APPNOTE.TXT, 4.3 and 4.5.3 (zip64). Compressed and encrypted entries are refused by name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/outcome.hpp"
#include "model/checkpoint/source.hpp"

namespace yolod::model::checkpoint {

struct ZipEntry {
  std::uint64_t header_offset{0};
  std::uint64_t size{0};  // of its data
  std::uint32_t crc{0};   // CRC-32 of its data; 0 where the writer left it out
};

// Where an entry's data lie in the file; inside it.
struct Extent {
  std::uint64_t offset{0};
  std::uint64_t size{0};
};

class ZipArchive {
 public:
  // Errors are kBadModel, naming the file. `source` is not kept.
  [[nodiscard]] static common::Outcome<ZipArchive> read(const Source& source);

  [[nodiscard]] const std::map<std::string, ZipEntry, std::less<>>& entries() const { return entries_; }

  // Null where there is none of that name.
  [[nodiscard]] const ZipEntry* find(std::string_view name) const;

  // Reads the entry's own header in `source`, the file that the archive was read from.
  [[nodiscard]] static common::Outcome<Extent> locate(const Source& source, const ZipEntry& entry);

 private:
  std::map<std::string, ZipEntry, std::less<>> entries_;
};

}  // namespace yolod::model::checkpoint
