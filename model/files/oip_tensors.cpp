#include "model/files/oip_tensors.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "common/json_splitter.hpp"
#include "common/oip/infer_request.hpp"
#include "common/text.hpp"

namespace yolod::model {
namespace {

using common::ElementType;
using common::Error;
using common::ErrorCode;
using common::JsonSplitter;
using common::Outcome;
using common::TensorArray;
using common::oip::DataType;
using common::oip::InferInput;

// An element of an array takes at least this many characters of the text.
constexpr std::size_t kLeastJsonElement = 2;

Error bad_tensor(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

std::optional<ElementType> element_type_of(DataType type) {
  switch (type) {
    case DataType::kBool: return ElementType::kBool;
    case DataType::kUint8: return ElementType::kUint8;
    case DataType::kInt8: return ElementType::kInt8;
    case DataType::kInt16: return ElementType::kInt16;
    case DataType::kInt32: return ElementType::kInt32;
    case DataType::kInt64: return ElementType::kInt64;
    case DataType::kFp16: return ElementType::kFloat16;
    case DataType::kBf16:
    case DataType::kFp32: return ElementType::kFloat32;
    case DataType::kFp64: return ElementType::kFloat64;
    case DataType::kUint16:
    case DataType::kUint32:
    case DataType::kUint64:
    case DataType::kBytes: return std::nullopt;
  }
  return std::nullopt;
}

// A bfloat16 is the upper half of a float.
std::vector<std::byte> widen(std::string_view halves) {
  std::vector<std::byte> bytes(2 * halves.size());
  for (std::size_t i = 0; i + 1 < halves.size(); i += 2) std::memcpy(&bytes[2 * i + 2], &halves[i], 2);
  return bytes;
}

bool is_json_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Reads numbers of one type from a text.
template <typename Number>
class NumberReader {
 public:
  explicit NumberReader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // Reads the whole array, and returns false if it is not well formed or has another count of elements.
  [[nodiscard]] bool read(std::span<std::byte> out) {
    int depth = 0;
    bool wants_value = true;  // after [ and after a comma
    bool is_empty = false;    // after [
    std::byte* place = out.data();
    std::byte* const last = out.data() + out.size();
    while (skip_blanks()) {
      const char c = *at_;
      if (c == '[') {
        if (!wants_value || ++depth > kMostDepth) return false;
        is_empty = true;
        ++at_;
      } else if (c == ']') {
        if (depth == 0 || (wants_value && !is_empty)) return false;
        --depth;
        wants_value = is_empty = false;
        ++at_;
        if (depth == 0) return !skip_blanks() && place == last;
      } else if (c == ',') {
        if (wants_value || depth == 0) return false;
        wants_value = true;
        is_empty = false;
        ++at_;
      } else {
        Number number{};
        if (!wants_value || depth == 0 || place == last || !read_one(number)) return false;
        std::memcpy(place, &number, sizeof number);
        place += sizeof number;
        wants_value = is_empty = false;
      }
    }
    return false;
  }

 private:
  static constexpr int kMostDepth = static_cast<int>(common::kMaxDimensions) + 1;

  // Returns false at the end of the text.
  bool skip_blanks() {
    while (at_ != end_ && is_json_blank(*at_)) ++at_;
    return at_ != end_;
  }
  bool take(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  bool read_one(Number& number) {
    if constexpr (std::is_same_v<Number, bool>) {
      number = take("true");
      return number || take("false");
    } else {
      if constexpr (std::is_floating_point_v<Number>) {
        if (*at_ == 'N' || *at_ == 'I' || (*at_ == '-' && end_ - at_ > 1 && at_[1] == 'I')) return read_odd(number);
      }
      const char* const digit = at_ + (*at_ == '-' ? 1 : 0);
      if (digit == end_ || *digit < '0' || *digit > '9') return false;
      const auto [after, failure] = std::from_chars(at_, end_, number);
      if (failure == std::errc::result_out_of_range) return read_small(number);
      if (failure != std::errc{} || !is_end(after)) return false;
      at_ = after;
      return true;
    }
  }
  // Returns whether a number may end there. "1.5" is no whole number, and "0x1" is no number.
  [[nodiscard]] bool is_end(const char* after) const {
    return after == end_ || *after == ',' || *after == ']' || is_json_blank(*after);
  }
  bool read_odd(Number& number) {
    using Limits = std::numeric_limits<Number>;
    if (take("NaN")) {
      number = Limits::quiet_NaN();
    } else if (take("Infinity")) {
      number = Limits::infinity();
    } else if (take("-Infinity")) {
      number = -Limits::infinity();
    } else {
      return false;
    }
    return true;
  }
  // Reads a number that is too close to 0 for its type: it becomes 0. A number that is too large is refused. REQUIRES:
  // from_chars() has found that the number is out of the range of its type.
  bool read_small([[maybe_unused]] Number& number) {
    if constexpr (std::is_floating_point_v<Number>) {
      const bool is_negative = *at_ == '-';
      const char* at = at_ + (is_negative ? 1 : 0);
      // Find the power of ten of the first digit that is not 0.
      std::int64_t power = 0;
      bool is_after_point = false;
      bool has_digit = false;
      for (; at != end_ && (*at == '.' || (*at >= '0' && *at <= '9')); ++at) {
        if (*at == '.') {
          if (std::exchange(is_after_point, true)) return false;
          continue;
        }
        if (has_digit) {
          power += is_after_point ? 0 : 1;
        } else {
          has_digit = *at != '0';
          power -= is_after_point ? 1 : 0;
        }
      }
      if (at != end_ && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end_ && *at == '+') ++at;
        std::int64_t exponent = 0;
        const bool is_below = at != end_ && *at == '-';
        const auto [after, failure] = std::from_chars(at, end_, exponent);
        constexpr std::int64_t kHuge = std::int64_t{1} << 50U;  // above the length of any text
        if (failure == std::errc::result_out_of_range) exponent = is_below ? -kHuge : kHuge;
        power += std::clamp(exponent, -kHuge, kHuge);
        at = after;
      }
      if (!has_digit || power >= 0 || !is_end(at)) return false;
      number = is_negative ? Number{-0.0} : Number{0};
      at_ = at;
      return true;
    }
    return false;
  }

  const char* at_;
  const char* const end_;
};

template <typename Number>
bool read_as(std::string_view array, std::vector<std::byte>& bytes) {
  return NumberReader<Number>(array).read(bytes);
}

bool read_array(std::string_view array, DataType type, std::vector<std::byte>& bytes) {
  switch (type) {
    case DataType::kBool: return read_as<bool>(array, bytes);
    case DataType::kUint8: return read_as<std::uint8_t>(array, bytes);
    case DataType::kUint16: return read_as<std::uint16_t>(array, bytes);
    case DataType::kUint32: return read_as<std::uint32_t>(array, bytes);
    case DataType::kUint64: return read_as<std::uint64_t>(array, bytes);
    case DataType::kInt8: return read_as<std::int8_t>(array, bytes);
    case DataType::kInt16: return read_as<std::int16_t>(array, bytes);
    case DataType::kInt32: return read_as<std::int32_t>(array, bytes);
    case DataType::kInt64: return read_as<std::int64_t>(array, bytes);
    case DataType::kFp32: return read_as<float>(array, bytes);
    case DataType::kFp64: return read_as<double>(array, bytes);
    case DataType::kFp16:
    case DataType::kBf16:
    case DataType::kBytes: return false;
  }
  return false;
}

Outcome<TensorArray> read_tensor(const InferInput& input, const std::vector<JsonSplitter::Value>& values,
                                 std::string_view& binary) {
  const auto type = element_type_of(input.type);
  if (!type) return bad_tensor("input '" + common::printable(input.name, 100) + "' has a type that no model takes");
  TensorArray array{*type, input.shape, {}};
  if (input.data) {
    auto bytes = read_json_numbers(values[*input.data].text, input.type, input.element_count);
    if (!bytes) {
      return bad_tensor("input '" + common::printable(input.name, 100) + "': " + bytes.error().message);
    }
    array.bytes = *std::move(bytes);
    return array;
  }
  const std::size_t size = input.binary_bytes.value_or(binary.size());
  const auto expected = common::array_bytes(*type, input.shape);
  const std::size_t factor = input.type == DataType::kBf16 ? 2 : 1;
  if (size > binary.size() || expected != factor * size) {
    return bad_tensor("input '" + common::printable(input.name, 100) + "' has too few or too many bytes for its shape");
  }
  const std::string_view own = binary.substr(0, size);
  binary.remove_prefix(size);
  if (input.type == DataType::kBf16) {
    array.bytes = widen(own);
  } else {
    const auto raw = std::as_bytes(std::span(own.data(), own.size()));
    array.bytes.assign(raw.begin(), raw.end());
  }
  return array;
}

// Returns how many bytes the tensors of the request take. A count of elements that the content cannot have is refused
// later, before its memory is allocated.
std::uint64_t bytes_of_tensors(const common::oip::InferRequest& request, const std::vector<JsonSplitter::Value>& values,
                               std::size_t binary_bytes) {
  std::uint64_t bytes = 0;
  for (const InferInput& input : request.inputs) {
    if (input.data) {
      const std::uint64_t most = values[*input.data].text.size() / kLeastJsonElement;
      bytes += std::min<std::uint64_t>(input.element_count, most) * element_bytes(input.type);
    } else {
      const std::uint64_t own = std::min<std::uint64_t>(input.binary_bytes.value_or(binary_bytes), binary_bytes);
      bytes += input.type == DataType::kBf16 ? 2 * own : own;
    }
  }
  return bytes;
}

}  // namespace

Outcome<std::vector<std::byte>> read_json_numbers(std::string_view array, DataType type, std::uint64_t count) {
  // Check the count before the memory is allocated.
  if (count > array.size() / kLeastJsonElement) return bad_tensor("'data' has fewer elements than the shape");
  std::vector<std::byte> bytes(count * element_bytes(type));
  if (read_array(array, type, bytes)) return bytes;
  return bad_tensor("'data' is not an array of " + std::to_string(count) + " elements of the type " +
                    std::string(to_string(type)));
}

Outcome<TensorArray> read_raw_tensor(std::string_view body, const common::TensorConfig& tensor) {
  const auto misfit = [&tensor] {
    return bad_tensor("input '" + common::printable(tensor.name, 100) +
                      "' has too few or too many bytes for its shape");
  };
  const auto type = element_type_of(tensor.type);
  if (!type) return misfit();
  TensorArray array{*type, tensor.shape, {}};
  const auto open = std::find(array.shape.begin(), array.shape.end(), -1);
  if (open != array.shape.end()) {
    *open = 1;
    const auto one = common::array_bytes(*type, array.shape);
    if (!one || *one == 0 || body.size() % *one != 0) return misfit();
    *open = static_cast<std::int64_t>(body.size() / *one);
  }
  if (common::array_bytes(*type, array.shape) != body.size()) return misfit();
  const auto raw = std::as_bytes(std::span(body.data(), body.size()));
  array.bytes.assign(raw.begin(), raw.end());
  return array;
}

Outcome<std::vector<TensorArray>> read_oip_tensors(std::string_view body, const std::vector<std::string>& inputs,
                                                   bool takes_more, std::string* header,
                                                   const std::function<bool(std::uint64_t bytes)>& reserve) {
  JsonSplitter splitter(body, JsonSplitter::End::kOfObject);
  for (;;) {
    const auto done = splitter.step(body.size());
    if (!done) return done.error();
    if (*done) break;
  }
  if (header != nullptr) *header = splitter.skeleton();
  auto request = common::oip::parse_infer_request(splitter.skeleton(), splitter.values().size());
  if (!request) return request.error();
  // The bytes of the tensors are the end of the body. Blanks may follow the JSON.
  const auto implied = request->inputs.size() == 1 && !request->inputs[0].data && !request->inputs[0].binary_bytes
                           ? common::array_bytes(element_type_of(request->inputs[0].type).value_or(ElementType::kInt8),
                                                 request->inputs[0].shape)
                           : std::nullopt;
  const bool is_bf16 = implied && request->inputs[0].type == DataType::kBf16;
  const std::uint64_t binary_bytes = implied ? *implied / (is_bf16 ? 2 : 1) : request->binary_bytes().value_or(0);
  if (binary_bytes > body.size() - splitter.object_bytes()) return bad_tensor("the body has too few bytes");
  std::string_view binary = body.substr(body.size() - binary_bytes);
  if (reserve && !reserve(bytes_of_tensors(*request, splitter.values(), binary.size()))) {
    return Error{ErrorCode::kImageTooComplex, "the tensors need more memory than limits.max_decode_memory allows"};
  }
  std::vector<std::pair<const std::string*, TensorArray>> tensors;
  for (const InferInput& input : request->inputs) {
    auto array = read_tensor(input, splitter.values(), binary);
    if (!array) return array.error();
    tensors.emplace_back(&input.name, *std::move(array));
  }
  std::vector<TensorArray> arrays;
  for (const std::string& name : inputs) {
    const auto found =
        std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return *tensor.first == name; });
    if (found == tensors.end()) return bad_tensor("the input '" + common::printable(name, 100) + "' is missing");
    arrays.push_back(std::move(found->second));
    tensors.erase(found);
  }
  if (!tensors.empty() && !takes_more) {
    return bad_tensor("the model does not take the input '" + common::printable(*tensors.front().first, 100) + "'");
  }
  for (auto& [name, array] : tensors) arrays.push_back(std::move(array));
  return arrays;
}

}  // namespace yolod::model
