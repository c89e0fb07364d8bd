#include "model/npz.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::uint32_t kLocalSignature = 0x04034B50;
constexpr std::uint32_t kCentralSignature = 0x02014B50;
constexpr std::uint32_t kEndSignature = 0x06054B50;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kMaxTensors = 1024;
constexpr std::string_view kSuffix = ".npy";

Error bad_npz(std::string what) { return {ErrorCode::kInvalidParameter, "not an .npz file: " + std::move(what)}; }

// A little-endian number at `at`; the caller has checked that it lies within.
template <typename T>
T number_at(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The end record lies before a comment of at most 64 KiB.
std::optional<std::size_t> find_end_record(std::string_view bytes) {
  if (bytes.size() < kEndBytes) return std::nullopt;
  constexpr std::size_t kLongestComment = 0xFFFF;
  const auto last = bytes.size() - kEndBytes;
  for (std::size_t back = 0; back <= std::min(last, kLongestComment); ++back) {
    if (number_at<std::uint32_t>(bytes, last - back) == kEndSignature) return last - back;
  }
  return std::nullopt;
}

struct Entry {
  std::string_view name;
  std::string_view data;
};

// The central directory's entry at `at`, which moves on to the next.
Outcome<Entry> read_entry(std::string_view bytes, std::size_t& at) {
  if (at > bytes.size() || bytes.size() - at < kCentralBytes ||
      number_at<std::uint32_t>(bytes, at) != kCentralSignature) {
    return bad_npz("its table of contents is damaged");
  }
  const auto flags = number_at<std::uint16_t>(bytes, at + 8);
  const auto method = number_at<std::uint16_t>(bytes, at + 10);
  const std::size_t size = number_at<std::uint32_t>(bytes, at + 24);
  const std::size_t name_size = number_at<std::uint16_t>(bytes, at + 28);
  const std::size_t more =
      std::size_t{number_at<std::uint16_t>(bytes, at + 30)} + number_at<std::uint16_t>(bytes, at + 32);
  const std::size_t local = number_at<std::uint32_t>(bytes, at + 42);
  if (bytes.size() - at - kCentralBytes < name_size + more) return bad_npz("its table of contents is damaged");
  const auto name = bytes.substr(at + kCentralBytes, name_size);
  at += kCentralBytes + name_size + more;

  if ((flags & 1U) != 0 || method != 0) return bad_npz("an array is compressed; numpy.savez writes what is read here");
  if (local > bytes.size() || bytes.size() - local < kLocalBytes ||
      number_at<std::uint32_t>(bytes, local) != kLocalSignature) {
    return bad_npz("its table of contents is damaged");
  }
  const std::size_t skipped = kLocalBytes + number_at<std::uint16_t>(bytes, local + 26) +
                              std::size_t{number_at<std::uint16_t>(bytes, local + 28)};
  if (bytes.size() - local < skipped || bytes.size() - local - skipped < size) return bad_npz("it is cut short");
  return Entry{name, bytes.substr(local + skipped, size)};
}

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

// What local header and table of contents say alike of an entry, from the version that is needed on.
void write_common(Writer& out, const Written& entry) {
  out.number(std::uint16_t{20});
  out.number(std::uint16_t{0});         // flags
  out.number(std::uint16_t{0});         // stored
  out.number(std::uint32_t{0x210000});  // 1980-01-01: the same tensors give the same bytes
  out.number(entry.crc);
  out.number(entry.size);
  out.number(entry.size);
  out.number(static_cast<std::uint16_t>(entry.name.size()));
  out.number(std::uint16_t{0});  // extra field
}

}  // namespace

bool is_npz(std::string_view bytes) { return bytes.starts_with("PK"); }

Outcome<std::vector<NamedTensor>> parse_npz(std::string_view bytes) {
  const auto end = find_end_record(bytes);
  if (!end) return bad_npz("it has no table of contents");
  const std::size_t count = number_at<std::uint16_t>(bytes, *end + 10);
  std::size_t at = number_at<std::uint32_t>(bytes, *end + 16);
  if (count > kMaxTensors) return bad_npz("more than " + std::to_string(kMaxTensors) + " arrays");
  std::vector<NamedTensor> tensors;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = read_entry(bytes, at);
    if (!entry) return entry.error();
    // Entries that share their bytes would make more of them than came.
    taken += entry->data.size();
    if (taken > bytes.size()) return bad_npz("its arrays overlap");
    auto array = parse_npy_tensor(entry->data);
    if (!array) return std::move(array).error();
    auto name = entry->name;
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
    out.number(kLocalSignature);
    write_common(out, written.back());
    out.bytes += written.back().name;
    out.bytes += file;
  }
  const auto table = static_cast<std::uint32_t>(out.bytes.size());
  for (const auto& entry : written) {
    out.number(kCentralSignature);
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
  out.number(kEndSignature);
  out.number(std::uint32_t{0});  // disks
  out.number(count);
  out.number(count);
  out.number(table_bytes);
  out.number(table);
  out.number(std::uint16_t{0});  // comment
  return std::move(out.bytes);
}

}  // namespace yolod::model
