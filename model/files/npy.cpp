#include "model/files/npy.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>
#include <utility>

#include "model/files/read_file.hpp"

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxFileBytes = std::size_t{4} << 30U;

Error bad_npy(std::string what) { return {ErrorCode::kInvalidParameter, std::move(what)}; }

// Returns the text after `'key':` in the header's dictionary, without blanks. NumPy writes keys in single quotes.
std::optional<std::string_view> after_key(std::string_view header, std::string_view key) {
  const auto quoted = "'" + std::string(key) + "'";
  auto at = header.find(quoted);
  if (at == std::string_view::npos) return std::nullopt;
  header.remove_prefix(at + quoted.size());
  at = header.find_first_not_of(' ');
  if (at == std::string_view::npos || header[at] != ':') return std::nullopt;
  header.remove_prefix(at + 1);
  at = header.find_first_not_of(' ');
  if (at == std::string_view::npos) return std::nullopt;
  return header.substr(at);
}

std::optional<std::vector<std::int64_t>> parse_shape(std::string_view text) {
  if (!text.starts_with('(')) return std::nullopt;
  const auto close = text.find(')');
  if (close == std::string_view::npos) return std::nullopt;
  text = text.substr(1, close - 1);
  std::vector<std::int64_t> shape;
  while (true) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (text.empty()) return shape;
    std::int64_t side = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), side);
    if (status != std::errc{} || side < 0 || shape.size() == common::kMaxDimensions) return std::nullopt;
    shape.push_back(side);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (text.starts_with(',')) {
      text.remove_prefix(1);
    } else if (!text.empty()) {
      return std::nullopt;
    }
  }
}

// The name of an element type in a file (`descr`). A '|' stands before a type that has no byte order.
struct Descr {
  ElementType type;
  std::string_view text;
};

constexpr std::array<Descr, 9> kDescrs{{
    {ElementType::kFloat16, "<f2"},
    {ElementType::kFloat32, "<f4"},
    {ElementType::kFloat64, "<f8"},
    {ElementType::kInt8, "|i1"},
    {ElementType::kInt16, "<i2"},
    {ElementType::kInt32, "<i4"},
    {ElementType::kInt64, "<i8"},
    {ElementType::kUint8, "|u1"},
    {ElementType::kBool, "|b1"},
}};

std::string_view descr_of(ElementType type) {
  return std::find_if(kDescrs.begin(), kDescrs.end(), [type](const auto& entry) { return entry.type == type; })->text;
}

// Returns the type for the header's `descr`: `'<f4', ...`.
std::optional<ElementType> parse_type(std::string_view text) {
  for (const auto& entry : kDescrs) {
    if (text.size() > 4 && text[0] == '\'' && text.substr(1, 3) == entry.text && text[4] == '\'') return entry.type;
  }
  return std::nullopt;
}

struct Parsed {
  ElementType type;
  std::vector<std::int64_t> shape;
  std::string_view data;
};

// If `only` is given, every other type is an Error.
Outcome<Parsed> parse(std::string_view bytes, std::optional<ElementType> only) {
  if (!bytes.starts_with(kMagic) || bytes.size() < 10) return bad_npy("not an .npy file");
  const auto byte_at = [&bytes](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const auto version = byte_at(6);
  std::size_t header_start = 10;
  std::size_t header_size = byte_at(8) | byte_at(9) << 8U;
  if (version == 2 || version == 3) {
    if (bytes.size() < 12) return bad_npy("the .npy file ends within its header");
    header_size |= byte_at(10) << 16U | byte_at(11) << 24U;
    header_start = 12;
  } else if (version != 1) {
    return bad_npy("the .npy file has version " + std::to_string(version) + ", versions 1 to 3 are supported");
  }
  if (header_size > bytes.size() - header_start) return bad_npy("the .npy file ends within its header");
  const auto header = bytes.substr(header_start, header_size);
  const auto data = bytes.substr(header_start + header_size);

  const auto type = after_key(header, "descr");
  const auto element = type ? parse_type(*type) : std::nullopt;
  if (only && element != only) return bad_npy("the array is not little-endian " + std::string(to_string(*only)));
  if (!element) return bad_npy("unsupported element type; use little-endian numbers or bool");
  const auto order = after_key(header, "fortran_order");
  if (!order || !order->starts_with("False")) return bad_npy("the array is not in C order");
  const auto shape_text = after_key(header, "shape");
  const auto shape = shape_text ? parse_shape(*shape_text) : std::nullopt;
  if (!shape) return bad_npy("the array's shape cannot be read");

  const auto needed = common::array_bytes(*element, *shape);
  if (!needed) return bad_npy("the shape is too large");
  const auto unit = common::element_bytes(*element);
  if (*needed != data.size()) {
    return bad_npy("the array has " + std::to_string(data.size()) + " bytes of data, but its shape needs " +
                   std::to_string(*needed / unit) + " values of " + std::to_string(unit));
  }
  return Parsed{*element, *shape, data};
}

std::string npy_header(ElementType type, const std::vector<std::int64_t>& shape) {
  std::string header = "{'descr': '" + std::string(descr_of(type)) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) header += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  header += shape.size() == 1 ? ",), }" : "), }";
  // The data begins at a multiple of 64 bytes, and the header ends with a line feed.
  constexpr std::size_t kPreamble = 10;
  header.append(63 - (kPreamble + header.size()) % 64, ' ');
  header += '\n';
  std::string start(kMagic);
  start += {1, 0, static_cast<char>(header.size() & 0xFFU), static_cast<char>(header.size() >> 8U)};
  return start + header;
}

}  // namespace

Outcome<TensorArray> parse_npy_tensor(std::string_view bytes) {
  auto parsed = parse(bytes, std::nullopt);
  if (!parsed) return std::move(parsed).error();
  const auto data = std::as_bytes(std::span(parsed->data));
  TensorArray array{parsed->type, std::move(parsed->shape), {data.begin(), data.end()}};
  if (array.type == ElementType::kBool) {
    // C++ does not define a bool with another byte than 0 or 1; NumPy reads such a byte as true.
    std::transform(array.bytes.begin(), array.bytes.end(), array.bytes.begin(),
                   [](std::byte value) { return value == std::byte{0} ? value : std::byte{1}; });
  }
  return array;
}

Outcome<NpyArray> parse_npy(std::string_view bytes) {
  auto parsed = parse(bytes, ElementType::kFloat32);
  if (!parsed) return std::move(parsed).error();
  NpyArray array{std::move(parsed->shape), std::vector<float>(parsed->data.size() / sizeof(float))};
  if (!array.values.empty()) std::memcpy(array.values.data(), parsed->data.data(), parsed->data.size());
  return array;
}

Outcome<NpyArray> read_npy(const std::filesystem::path& file) {
  const auto bytes = read_file(file, kMaxFileBytes);
  if (!bytes) return bad_npy(bytes.error().message);
  auto array = parse_npy(*bytes);
  if (!array) return bad_npy(file.string() + ": " + array.error().message);
  return array;
}

std::string to_npy(const TensorArray& array) {
  auto file = npy_header(array.type, array.shape);
  file.append(reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size());
  return file;
}

Outcome<void> write_npy(const std::filesystem::path& file, const NpyArray& array) {
  const auto header = npy_header(ElementType::kFloat32, array.shape);
  errno = 0;
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(header.data(), static_cast<std::streamsize>(header.size()));
  stream.write(reinterpret_cast<const char*>(array.values.data()),
               static_cast<std::streamsize>(array.values.size() * sizeof(float)));
  stream.flush();
  if (!stream) return common::system_error(file.string(), errno != 0 ? errno : EIO);
  return {};
}

}  // namespace yolod::model
