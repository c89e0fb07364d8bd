#include "model/oip_picture.hpp"

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "common/json_splitter.hpp"
#include "common/oip/infer_request.hpp"
#include "model/json_picture.hpp"

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::JsonSplitter;
using common::Outcome;

constexpr std::size_t kLengthBytes = 4;  // the length before each element

Error not_a_picture(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

// Returns the element's bytes.
Outcome<std::span<const std::byte>> element_at(std::span<const std::byte> elements, std::uint32_t part) {
  for (std::uint32_t i = 0;; ++i) {
    std::uint32_t length = 0;
    if (elements.size() < kLengthBytes) break;
    std::memcpy(&length, elements.data(), sizeof length);
    elements = elements.subspan(kLengthBytes);
    if (length > elements.size()) break;
    if (i == part) return elements.first(length);
    elements = elements.subspan(length);
  }
  return not_a_picture("incomplete string data for inference input 'image', expecting string " + std::to_string(part));
}

// The parts of a decompressed request: its header with the only input, the values in its JSON, and the bytes behind it.
struct Parts {
  JsonSplitter splitter;
  common::oip::InferRequest header;
  std::span<const std::byte> binary;

  [[nodiscard]] const common::oip::InferInput& input() const { return header.inputs.front(); }
};

Outcome<Parts> parts_of(std::span<const std::byte> request) {
  const std::string_view body(reinterpret_cast<const char*>(request.data()), request.size());
  JsonSplitter splitter(body, JsonSplitter::End::kOfObject);
  for (;;) {
    const auto done = splitter.step(body.size());
    if (!done) return done.error();
    if (*done) break;
  }
  auto header = common::oip::parse_infer_request(splitter.skeleton(), splitter.values().size());
  if (!header) return header.error();
  if (header->inputs.size() != 1) return not_a_picture("a request with pictures has one input");
  const std::uint64_t binary_bytes = header->inputs.front().binary_bytes.value_or(0);
  if (binary_bytes > request.size() - splitter.object_bytes()) {
    return not_a_picture("unexpected end of the input data: the decompressed body is too short");
  }
  return Parts{std::move(splitter), *std::move(header), request.last(binary_bytes)};
}

}  // namespace

Outcome<std::vector<std::byte>> picture_in_oip(std::span<const std::byte> request, std::uint32_t part) {
  const auto parts = parts_of(request);
  if (!parts) return parts.error();
  if (const auto data = parts->input().data) {
    const auto& strings = parts->splitter.values()[*data].strings;
    if (part >= strings.size()) return not_a_picture("'data' of input 'image' has too few texts");
    return picture_in_base64(std::as_bytes(std::span(strings[part].data(), strings[part].size())));
  }
  const auto element = element_at(parts->binary, part);
  if (!element) return element.error();
  if (element->empty()) return not_a_picture("picture " + std::to_string(part) + " is empty");
  return std::vector<std::byte>(element->begin(), element->end());
}

Outcome<std::span<const std::byte>> planes_in_oip(std::span<const std::byte> request, std::uint32_t part) {
  const auto parts = parts_of(request);
  if (!parts) return parts.error();
  const auto& shape = parts->input().shape;
  const std::uint64_t pictures = shape.empty() ? 0 : static_cast<std::uint64_t>(shape.front());
  if (part >= pictures || parts->binary.size() % pictures != 0) {
    return not_a_picture("unexpected size for input 'images'");
  }
  const std::size_t bytes = parts->binary.size() / pictures;
  return parts->binary.subspan(part * bytes, bytes);
}

}  // namespace yolod::model
