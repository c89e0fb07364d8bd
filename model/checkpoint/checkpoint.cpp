#include "model/checkpoint/checkpoint.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/checkpoint/pickle.hpp"
#include "model/files/zip_archive.hpp"

namespace yolod::model::checkpoint {
namespace {

using common::Error;
using common::Outcome;

static_assert(std::endian::native == std::endian::little, "storages are little-endian and are read without conversion");

// The pickle of a checkpoint with a thousand layers and its optimizer has half a megabyte.
constexpr std::uint64_t kMaxPickleBytes = std::uint64_t{16} << 20U;
constexpr std::string_view kZipMagic("PK\x03\x04", 4);
// A pickle of the number 0x1950a86a20f9469cfc6c, without its STOP.
constexpr std::string_view kLegacyMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 14);
constexpr std::int64_t kLegacyProtocol = 1001;

// Converts IEEE 754 half precision to single precision.
float from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {
    const float tiny = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -tiny : tiny;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23U | fraction << 13U);
}

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

float to_float(Dtype dtype, const std::byte* from) {
  switch (dtype) {
    case Dtype::kFloat: return load<float>(from);
    case Dtype::kDouble: return static_cast<float>(load<double>(from));
    case Dtype::kHalf: return from_half(load<std::uint16_t>(from));
    case Dtype::kBFloat16: return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(from)} << 16U);
    case Dtype::kLong: return static_cast<float>(load<std::int64_t>(from));
    case Dtype::kInt: return static_cast<float>(load<std::int32_t>(from));
    case Dtype::kShort: return load<std::int16_t>(from);
    case Dtype::kChar: return load<std::int8_t>(from);
    case Dtype::kByte: return load<std::uint8_t>(from);
    case Dtype::kBool: return load<std::uint8_t>(from) == 0 ? 0 : 1;
  }
  return 0;
}

// The number of a tensor's elements, and the end of the part of its storage that it uses, counted from the tensor's
// first element. nullopt on overflow.
struct Reach {
  std::uint64_t count{1};
  std::uint64_t end{1};
};

std::optional<Reach> reach_of(const Tensor& tensor) {
  Reach reach;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    std::uint64_t steps = 0;
    if (tensor.shape[i] == 0) return Reach{0, 0};
    if (__builtin_mul_overflow(reach.count, tensor.shape[i], &reach.count) ||
        __builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &steps) ||
        __builtin_add_overflow(reach.end, steps, &reach.end))
      return std::nullopt;
  }
  return reach;
}

bool is_contiguous(const Tensor& tensor) {
  std::uint64_t step = 1;
  for (auto i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] > 1 && tensor.strides[i] != step) return false;
    step *= tensor.shape[i];
  }
  return true;
}

// `elements` are the bytes from the tensor's first to its last element, as its reach says.
std::vector<float> gather(const Tensor& tensor, std::size_t count, std::span<const std::byte> elements) {
  std::vector<float> values(count);
  if (count == 0) return values;
  const auto size = size_of(tensor.dtype);
  if (is_contiguous(tensor)) {
    if (tensor.dtype == Dtype::kFloat) {
      std::memcpy(values.data(), elements.data(), count * sizeof(float));
    } else {
      for (std::size_t i = 0; i < count; ++i) values[i] = to_float(tensor.dtype, elements.data() + i * size);
    }
    return values;
  }
  std::array<std::uint64_t, kMaxDimensions> index{};
  std::uint64_t at = 0;
  for (auto& value : values) {
    value = to_float(tensor.dtype, elements.data() + at * size);
    for (auto d = tensor.shape.size(); d-- > 0;) {
      at += tensor.strides[d];
      if (++index[d] < tensor.shape[d]) break;
      at -= tensor.strides[d] * tensor.shape[d];
      index[d] = 0;
    }
  }
  return values;
}

}  // namespace

bool is_checkpoint(const std::filesystem::path& file) {
  const auto source = Source::open(file);
  if (!source) return false;
  std::array<std::byte, kZipMagic.size()> magic{};
  if (!source.value().read(0, magic)) return false;
  const std::string_view begin(reinterpret_cast<const char*>(magic.data()), magic.size());
  return begin == kZipMagic || begin == kLegacyMagic.substr(0, begin.size());
}

Error Checkpoint::error(const std::string& what) const { return bad_model(source_.name() + ": " + what); }

Outcome<Checkpoint> Checkpoint::open(const std::filesystem::path& file) {
  try {
    auto source = Source::open(file);
    if (!source) return std::move(source).error();
    Checkpoint checkpoint(std::move(source).value());
    std::array<std::byte, kZipMagic.size()> magic{};
    const bool zip =
        checkpoint.source_.read(0, magic) && std::memcmp(magic.data(), kZipMagic.data(), magic.size()) == 0;
    const auto done = zip ? checkpoint.read_zip() : checkpoint.read_legacy();
    if (!done) return done.error();
    return checkpoint;
  } catch (const std::bad_alloc&) {
    return bad_model(file.string() + ": no memory for its tables");
  }
}

Outcome<void> Checkpoint::read_zip() {
  const auto archive = ZipArchive::read(source_);
  if (!archive) return error(archive.error().message);
  const auto& entries = archive.value().entries();
  constexpr std::string_view kPickle = "data.pkl";
  // All entries lie in one folder, which has the name of the file that was first written.
  const auto pickle_entry = std::find_if(entries.begin(), entries.end(), [kPickle](const auto& entry) {
    const std::string_view name = entry.first;
    return name.ends_with(kPickle) && name.find('/') == name.size() - kPickle.size() - 1;
  });
  if (pickle_entry == entries.end()) return error("a zip file without a data.pkl, which is not a PyTorch checkpoint");
  const auto folder = pickle_entry->first.substr(0, pickle_entry->first.size() - kPickle.size());
  if (archive.value().find(folder + "constants.pkl") != nullptr)
    return error("a TorchScript file, not a checkpoint: name it as torchscript, without a cfg");
  if (const auto* order = archive.value().find(folder + "byteorder")) {
    const auto extent = ZipArchive::locate(source_, *order);
    if (!extent) return error(extent.error().message);
    std::array<std::byte, 6> little{};
    const bool known = extent->size == little.size() && source_.read(extent->offset, little);
    if (!known || std::memcmp(little.data(), "little", little.size()) != 0) return error("it is not little-endian");
  }

  const auto extent = ZipArchive::locate(source_, pickle_entry->second);
  if (!extent) return error(extent.error().message);
  if (extent->size > kMaxPickleBytes) return error("a data.pkl of " + std::to_string(extent->size) + " bytes");
  const auto bytes = source_.text(extent->offset, extent->size);
  if (!bytes) return bytes.error();
  const auto pickle = read_pickle(*bytes, allowed_globals());
  if (!pickle) return error(pickle.error().message);
  auto tensors = find_state_dict(*pickle);
  if (!tensors) return error(tensors.error().message);
  tensors_ = std::move(tensors).value();

  for (const auto& [name, tensor] : tensors_) {
    if (storages_.contains(tensor.storage)) continue;
    const auto* entry = archive.value().find(folder + "data/" + tensor.storage);
    if (entry == nullptr) return error("the values of " + common::printable(name, 100) + " are missing in the file");
    const auto place = ZipArchive::locate(source_, *entry);
    if (!place) return error(place.error().message);
    storages_[tensor.storage] = {place->offset, place->size, entry->crc};
  }
  return {};
}

// The old format has five pickles in a row (magic number, protocol, the writer's system, the object, the keys of its
// storages). The storages follow in the order of their keys. Each storage is the number of its elements in 64 bits,
// and then the elements.
Outcome<void> Checkpoint::read_legacy() {
  const auto begin = source_.text(0, std::min(source_.size(), kMaxPickleBytes));
  if (!begin) return begin.error();
  if (!begin->starts_with(kLegacyMagic)) return error("not a PyTorch checkpoint");
  std::string_view rest = *begin;
  std::array<Pickle, 5> pickles;
  for (auto& pickle : pickles) {
    auto read = read_pickle(rest, allowed_globals());
    if (!read) return error(read.error().message);
    pickle = std::move(read).value();
    rest.remove_prefix(pickle.size_bytes);
  }
  const auto& [magic, protocol, system, object, keys] = pickles;
  if (protocol.root_value().integer != kLegacyProtocol) return error("an unknown version of the old checkpoint format");
  const auto& about = system.root_value().items;
  for (std::size_t i = 0; i + 1 < about.size(); i += 2) {
    if (system.at(about[i]).text == "little_endian" && system.at(about[i + 1]).integer != 1)
      return error("it is not little-endian");
  }
  auto tensors = find_state_dict(object);
  if (!tensors) return error(tensors.error().message);
  tensors_ = std::move(tensors).value();
  const auto types = storages_of(object);
  if (!types) return error(types.error().message);

  std::uint64_t at = begin->size() - rest.size();
  for (const auto id : keys.root_value().items) {
    const auto key = keys.at(id).text;
    const auto type = types.value().find(key);
    if (type == types.value().end()) return error("the file has a storage that no tensor uses");
    std::array<std::byte, 8> count_bytes{};
    if (!source_.read(at, count_bytes)) return error("cut short, or not readable, where a storage should begin");
    const auto count = little_endian(count_bytes, count_bytes.size());
    if (count != type->second.count) return error("a storage has another size than its tensors say");
    at += count_bytes.size();
    const auto element = size_of(type->second.dtype);
    if (count > (source_.size() - at) / element) return error("cut short: a storage reaches past its end");
    storages_[std::string(key)] = {at, count * element, 0};
    at += count * element;
  }
  return {};
}

Outcome<std::vector<float>> Checkpoint::values(const std::string& name, const Tensor& tensor) {
  const auto shown = common::printable(name, 100);
  const auto storage = storages_.find(tensor.storage);
  if (storage == storages_.end()) return error("the values of " + shown + " are missing in the file");
  const auto [place, size, crc] = storage->second;
  const auto element = size_of(tensor.dtype);
  const auto reach = reach_of(tensor);
  const auto held = size / element;
  if (!reach || tensor.offset > held || reach->end > held - tensor.offset)
    return error(shown + " reaches past the end of its storage");
  if (reach->count > reach->end) return error(shown + " takes the same values more than once");
  taken_bytes_ += reach->end * element;
  if (taken_bytes_ > source_.size()) return error("its tensors overlap");

  const auto count = static_cast<std::size_t>(reach->count);
  std::vector<std::byte> elements(static_cast<std::size_t>(reach->end * element));
  if (!source_.read(place + tensor.offset * element, elements))
    return error("the values of " + shown + " cannot be read");
  if (crc != 0 && elements.size() == size && libdeflate_crc32(0, elements.data(), elements.size()) != crc)
    return error("the values of " + shown + " are damaged: their checksum is wrong");
  return gather(tensor, count, elements);
}

}  // namespace yolod::model::checkpoint
