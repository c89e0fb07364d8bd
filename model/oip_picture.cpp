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

}  // namespace

Outcome<std::vector<std::byte>> picture_in_oip(std::span<const std::byte> request, std::uint32_t part) {
  const std::string_view body(reinterpret_cast<const char*>(request.data()), request.size());
  JsonSplitter splitter(body, JsonSplitter::End::kOfObject);
  for (;;) {
    const auto done = splitter.step(body.size());
    if (!done) return done.error();
    if (*done) break;
  }
  const auto header = common::oip::parse_infer_request(splitter.skeleton(), splitter.values().size());
  if (!header) return header.error();
  if (header->inputs.size() != 1) return not_a_picture("a request with pictures has one input");
  const auto& input = header->inputs.front();
  if (input.data) {
    const auto& strings = splitter.values()[*input.data].strings;
    if (part >= strings.size()) return not_a_picture("'data' of input 'image' has too few texts");
    return picture_in_base64(std::as_bytes(std::span(strings[part].data(), strings[part].size())));
  }
  const std::uint64_t binary_bytes = input.binary_bytes.value_or(0);
  if (binary_bytes > request.size() - splitter.object_bytes()) {
    return not_a_picture("unexpected end of the input data: the decompressed body is too short");
  }
  const auto element = element_at(request.last(binary_bytes), part);
  if (!element) return element.error();
  if (element->empty()) return not_a_picture("picture " + std::to_string(part) + " is empty");
  return std::vector<std::byte>(element->begin(), element->end());
}

}  // namespace yolod::model
