// Reads the directory of a zip file with stored (uncompressed) entries, as torch.save and numpy.savez write them. Any
// bytes are safe: every value of the directory is checked against the file, and no memory is allocated for data that
// the file does not have.
//
// The format is in PKWARE's APPNOTE.TXT, 4.3 and 4.5.3 (zip64). Compressed and encrypted entries are refused by name,
// and so are two entries with the same name.
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
  std::uint64_t size{0};  // of the entry's data
  std::uint32_t crc{0};   // CRC-32 of the entry's data; 0 if the writer omitted it
};

// The position of an entry's data, which lies inside the file.
struct Extent {
  std::uint64_t offset{0};
  std::uint64_t size{0};
};

class ZipArchive {
 public:
  using Entries = std::vector<std::pair<std::string, ZipEntry>>;

  // Reads the directory. An Error (kBadModel) describes the fault without the file's name; more than `max_entries`
  // entries are an Error. It does not keep `source`.
  [[nodiscard]] static common::Outcome<ZipArchive> read(
      const ByteSource& source, std::uint64_t max_entries = std::numeric_limits<std::uint64_t>::max());

  // Returns the names of all entries of any zip file in the directory's order, including compressed and encrypted
  // entries. Errors are as above.
  [[nodiscard]] static common::Outcome<std::vector<std::string>> names(const ByteSource& source);

  // The entries in the directory's order.
  [[nodiscard]] const Entries& entries() const { return entries_; }

  // Returns nullptr if there is no entry of that name.
  [[nodiscard]] const ZipEntry* find(std::string_view name) const;

  // Finds an entry's data by reading the entry's own header. REQUIRES: `source` is the one that read() got. Errors
  // are as above.
  [[nodiscard]] static common::Outcome<Extent> locate(const ByteSource& source, const ZipEntry& entry);

 private:
  Entries entries_;
  std::map<std::string, std::size_t, std::less<>> by_name_;  // indices into entries_
};

}  // namespace yolod::model
