#include "model/files/npz.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "model/files/byte_source.hpp"
#include "model/files/zip_archive.hpp"
#include "model/files/zip_signatures.hpp"

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::size_t kMaxTensors = 1024;
constexpr std::string_view kSuffix = ".npy";

Error bad_npz(std::string what) { return {ErrorCode::kInvalidParameter, "not an .npz file: " + std::move(what)}; }

class Writer {
 public:
  template <typename T>
  void number(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::string bytes;
};

struct Written {
  std::string name;
  std::uint32_t crc;
  std::uint32_t size;
  std::uint32_t offset;
};

// Writes the fields that an entry's local header and its entry in the directory share, starting with the needed
// version.
void write_common(Writer& out, const Written& entry) {
  out.number(std::uint16_t{20});
  out.number(std::uint16_t{0});         // flags
  out.number(std::uint16_t{0});         // stored, not compressed
  out.number(std::uint32_t{0x210000});  // 1980-01-01: a fixed date, so that the same tensors give the same bytes
  out.number(entry.crc);
  out.number(entry.size);
  out.number(entry.size);
  out.number(static_cast<std::uint16_t>(entry.name.size()));
  out.number(std::uint16_t{0});  // extra field
}

}  // namespace

bool is_npz(std::string_view bytes) { return bytes.starts_with("PK"); }

Outcome<std::vector<NamedTensor>> parse_npz(std::string_view bytes) {
  const MemorySource source(bytes);
  const auto archive = ZipArchive::read(source, kMaxTensors);
  if (!archive) return bad_npz(archive.error().message);
  std::vector<NamedTensor> tensors;
  std::size_t taken = 0;
  for (const auto& [file_name, entry] : archive->entries()) {
    const auto place = ZipArchive::locate(source, entry);
    if (!place) return bad_npz(place.error().message);
    const auto data = bytes.substr(static_cast<std::size_t>(place->offset), static_cast<std::size_t>(place->size));
    // Entries may share their bytes, so count them: otherwise the arrays could be larger than the file.
    taken += data.size();
    if (taken > bytes.size()) return bad_npz("its arrays overlap");
    if (entry.crc != 0 && libdeflate_crc32(0, data.data(), data.size()) != entry.crc)
      return bad_npz("an array is damaged: its checksum is wrong");
    auto array = parse_npy_tensor(data);
    if (!array) return std::move(array).error();
    std::string_view name = file_name;
    if (name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
    const auto same = [&](const NamedTensor& tensor) { return tensor.name == name; };
    if (std::any_of(tensors.begin(), tensors.end(), same)) return bad_npz("two arrays have the same name");
    tensors.push_back({std::string(name), std::move(array).value()});
  }
  return tensors;
}

std::string to_npz(std::span<const NamedTensor> tensors) {
  Writer out;
  std::vector<Written> written;
  for (const auto& tensor : tensors) {
    const auto file = to_npy(tensor.array);
    written.push_back({tensor.name + std::string(kSuffix), libdeflate_crc32(0, file.data(), file.size()),
                       static_cast<std::uint32_t>(file.size()), static_cast<std::uint32_t>(out.bytes.size())});
    out.number(zip::kLocalSignature);
    write_common(out, written.back());
    out.bytes += written.back().name;
    out.bytes += file;
  }
  const auto table = static_cast<std::uint32_t>(out.bytes.size());
  for (const auto& entry : written) {
    out.number(zip::kDirectorySignature);
    out.number(std::uint16_t{20});  // made by
    write_common(out, entry);
    out.number(std::uint16_t{0});  // comment
    out.number(std::uint16_t{0});  // disk
    out.number(std::uint16_t{0});  // internal attributes
    out.number(std::uint32_t{0});  // external attributes
    out.number(entry.offset);
    out.bytes += entry.name;
  }
  const auto table_bytes = static_cast<std::uint32_t>(out.bytes.size()) - table;
  const auto count = static_cast<std::uint16_t>(written.size());
  out.number(zip::kEndSignature);
  out.number(std::uint32_t{0});  // disks
  out.number(count);
  out.number(count);
  out.number(table_bytes);
  out.number(table);
  out.number(std::uint16_t{0});  // comment
  return std::move(out.bytes);
}

}  // namespace yolod::model
