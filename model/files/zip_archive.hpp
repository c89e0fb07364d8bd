// The table of contents of a zip file whose entries are stored, as torch.save and numpy.savez write them. Any bytes are
// safe: what the table claims is checked against them, and nothing is allocated that they do not hold.
//
// The format: PKWARE's APPNOTE.TXT, 4.3 and 4.5.3 (zip64). Compressed and encrypted entries are refused by name, and so
// are two of one name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/outcome.hpp"
#include "model/files/byte_source.hpp"

namespace yolod::model {

struct ZipEntry {
  std::uint64_t header_offset{0};
  std::uint64_t size{0};  // of its data
  std::uint32_t crc{0};   // CRC-32 of its data; 0 where the writer left it out
};

// Where an entry's data lie; inside the file.
struct Extent {
  std::uint64_t offset{0};
  std::uint64_t size{0};
};

class ZipArchive {
 public:
  using Entries = std::vector<std::pair<std::string, ZipEntry>>;

  // An Error (kBadModel) says what is wrong, without naming the file; more than `max_entries` are one. `source` is not
  // kept.
  [[nodiscard]] static common::Outcome<ZipArchive> read(
      const ByteSource& source, std::uint64_t max_entries = std::numeric_limits<std::uint64_t>::max());

  // The names of all entries of any zip file, in the table's order, compressed and encrypted ones too. An Error as
  // above.
  [[nodiscard]] static common::Outcome<std::vector<std::string>> names(const ByteSource& source);

  // In the table's order.
  [[nodiscard]] const Entries& entries() const { return entries_; }

  // Null where there is none of that name.
  [[nodiscard]] const ZipEntry* find(std::string_view name) const;

  // Reads the entry's own header in `source`, which the archive was read from. An Error as above.
  [[nodiscard]] static common::Outcome<Extent> locate(const ByteSource& source, const ZipEntry& entry);

 private:
  Entries entries_;
  std::map<std::string, std::size_t, std::less<>> by_name_;  // their index
};

}  // namespace yolod::model
