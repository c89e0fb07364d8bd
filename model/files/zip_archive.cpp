#include "model/files/zip_archive.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/files/zip_signatures.hpp"

namespace yolod::model {
namespace {

using common::Error;
using common::Outcome;
using Bytes = std::span<const std::byte>;

constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kLocator64Size = 20;
constexpr std::size_t kDirectoryHeaderSize = 46;
constexpr std::size_t kLocalHeaderSize = 30;
constexpr std::uint64_t kMaxCommentBytes = 0xFFFF;
// The directory of a checkpoint with a thousand layers and its optimizer has half a megabyte.
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{16} << 20U;
constexpr std::uint64_t kInZip64 = 0xFFFFFFFF;

std::uint32_t u16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint32_t>(little_endian(bytes.subspan(at), 2));
}
std::uint32_t u32(Bytes bytes, std::size_t at) {
  return static_cast<std::uint32_t>(little_endian(bytes.subspan(at), 4));
}
std::uint64_t u64(Bytes bytes, std::size_t at) { return little_endian(bytes.subspan(at), 8); }

Error damaged(const std::string& what) { return bad_model("a damaged zip file: " + what); }

// The values of the end record that locate the central directory.
struct Directory {
  Extent place;
  std::uint64_t entry_count{0};
};

// Finds the central directory from the record at the file's end, and from the zip64 record if there is one.
Outcome<Directory> find_directory(const ByteSource& source) {
  const auto tail_size = std::min<std::uint64_t>(source.size(), kEndSize + kMaxCommentBytes);
  const auto tail = source.bytes(source.size() - tail_size, tail_size);
  if (!tail) return damaged("its end cannot be read");
  const auto bytes = std::as_bytes(std::span(*tail));
  std::optional<std::size_t> end;
  for (std::size_t at = bytes.size() < kEndSize ? 0 : bytes.size() - kEndSize + 1; at-- > 0 && !end;) {
    const bool found = u32(bytes, at) == zip::kEndSignature && u16(bytes, at + 20) == bytes.size() - at - kEndSize;
    if (found) end = at;
  }
  if (!end) return damaged("it is cut short: the end record is missing");
  Directory directory{{u32(bytes, *end + 16), u32(bytes, *end + 12)}, u16(bytes, *end + 10)};

  if (*end >= kLocator64Size && u32(bytes, *end - kLocator64Size) == zip::kLocator64Signature) {
    std::array<std::byte, kEnd64Size> end64{};
    if (!source.read(u64(bytes, *end - kLocator64Size + 8), end64) || u32(end64, 0) != zip::kEnd64Signature)
      return damaged("the zip64 record is not at its stated offset");
    directory = {{u64(end64, 48), u64(end64, 40)}, u64(end64, 32)};
  }
  const auto& [offset, size] = directory.place;
  if (offset > source.size() || size > source.size() - offset) return damaged("its directory lies outside it");
  if (size > kMaxDirectoryBytes) return damaged("its directory has " + std::to_string(size) + " bytes");
  return directory;
}

// Reads the 64-bit values in an entry's extra field of kind 1, in order. They replace the values that did not fit
// into 32 bits.
bool read_zip64(Bytes extra, std::initializer_list<std::uint64_t*> values) {
  const bool needed = std::any_of(values.begin(), values.end(), [](const auto* value) { return *value == kInZip64; });
  while (needed && extra.size() >= 4) {
    const auto kind = u16(extra, 0);
    const std::size_t length = u16(extra, 2);
    extra = extra.subspan(4);
    if (length > extra.size()) return false;
    if (kind == 1) {
      std::size_t at = 0;
      for (auto* value : values) {
        if (*value != kInZip64) continue;
        if (at + 8 > length) return false;
        *value = u64(extra, at);
        at += 8;
      }
      return true;
    }
    extra = extra.subspan(length);
  }
  return !needed;
}

// An entry of the central directory.
struct Listed {
  std::string name;
  ZipEntry entry;
  std::uint64_t stored_size{0};
  std::uint32_t flags{0};
  std::uint32_t method{0};
};

Outcome<std::vector<Listed>> read_directory(const ByteSource& source, std::uint64_t max_entries) {
  const auto directory = find_directory(source);
  if (!directory) return directory.error();
  if (directory->entry_count > max_entries)
    return bad_model("the file has more than " + std::to_string(max_entries) + " entries");
  const auto text = source.bytes(directory->place.offset, directory->place.size);
  if (!text) return damaged("its directory cannot be read");

  std::vector<Listed> listed;
  auto rest = std::as_bytes(std::span(*text));
  while (!rest.empty()) {
    if (rest.size() < kDirectoryHeaderSize || u32(rest, 0) != zip::kDirectorySignature)
      return damaged("its directory cannot be read");
    const std::size_t name_size = u16(rest, 28);
    const std::size_t extra_size = u16(rest, 30);
    const std::size_t comment_size = u16(rest, 32);
    if (rest.size() - kDirectoryHeaderSize < name_size + extra_size + comment_size)
      return damaged("its directory cannot be read");
    const auto after = rest.subspan(kDirectoryHeaderSize);
    Listed one{std::string(reinterpret_cast<const char*>(after.data()), name_size),
               {u32(rest, 42), u32(rest, 24), u32(rest, 16)},
               u32(rest, 20),
               u16(rest, 8),
               u16(rest, 10)};
    if (!read_zip64(after.subspan(name_size, extra_size),
                    {&one.entry.size, &one.stored_size, &one.entry.header_offset}))
      return damaged("its directory cannot be read");
    if (listed.size() == directory->entry_count) return damaged("its directory has more entries than it says");
    listed.push_back(std::move(one));
    rest = after.subspan(name_size + extra_size + comment_size);
  }
  if (listed.size() != directory->entry_count) return damaged("its directory has fewer entries than it says");
  return listed;
}

}  // namespace

Outcome<ZipArchive> ZipArchive::read(const ByteSource& source, std::uint64_t max_entries) {
  auto listed = read_directory(source, max_entries);
  if (!listed) return std::move(listed).error();
  ZipArchive archive;
  for (auto& [name, entry, stored_size, flags, method] : *listed) {
    const auto quoted = "\"" + common::printable(name, 60) + "\"";
    if ((flags & 1U) != 0) return bad_model("its entry " + quoted + " is encrypted");
    if (method != 0 || stored_size != entry.size)
      return bad_model("the entry " + quoted + " is compressed; only uncompressed (stored) entries are supported");
    if (!archive.by_name_.emplace(name, archive.entries_.size()).second)
      return damaged("two entries have the name " + quoted);
    archive.entries_.emplace_back(std::move(name), entry);
  }
  return archive;
}

Outcome<std::vector<std::string>> ZipArchive::names(const ByteSource& source) {
  auto listed = read_directory(source, std::numeric_limits<std::uint64_t>::max());
  if (!listed) return std::move(listed).error();
  std::vector<std::string> names;
  names.reserve(listed->size());
  for (auto& one : *listed) names.push_back(std::move(one.name));
  return names;
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second].second;
}

Outcome<Extent> ZipArchive::locate(const ByteSource& source, const ZipEntry& entry) {
  std::array<std::byte, kLocalHeaderSize> header{};
  if (!source.read(entry.header_offset, header) || u32(header, 0) != zip::kLocalSignature)
    return damaged("an entry is not at the offset in the directory");
  const auto offset = entry.header_offset + kLocalHeaderSize + u16(header, 26) + u16(header, 28);
  if (offset > source.size() || entry.size > source.size() - offset) return damaged("an entry reaches past its end");
  return Extent{offset, entry.size};
}

}  // namespace yolod::model
