// Tests inference requests of the Open Inference Protocol: the splitting of JSON, its header, and the tensors, as the
// front-end and a worker read them.
#include <string>
#include <vector>

#include "common/json_splitter.hpp"
#include "common/oip/infer_request.hpp"
#include "model/files/oip_tensors.hpp"
#include "model/oip_picture.hpp"
#include "model/unpack.hpp"
#include "tests/fuzz/fuzz_input.hpp"

using namespace yolod;
using common::JsonSplitter;

namespace {

constexpr std::uint64_t kMostUnpackedBytes = 1U << 20U;

// Returns whether the text was split. The size of a step must not change the result.
bool split(JsonSplitter& splitter, std::size_t budget) {
  for (;;) {
    const auto done = splitter.step(budget);
    if (!done) {
      fuzz::require_one_line(done.error(), common::ErrorCode::kBadRequest);
      return false;
    }
    if (*done) return true;
  }
}

bool is_within(std::string_view part, std::string_view text) {
  return part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = fuzz::as_text(data, size);
  JsonSplitter whole(body, JsonSplitter::End::kOfText);
  JsonSplitter stepped(body, JsonSplitter::End::kOfText);
  const bool good = split(whole, size);
  fuzz::require(split(stepped, 3) == good);
  if (good) {
    fuzz::require(whole.skeleton() == stepped.skeleton());
    fuzz::require(whole.skeleton().size() <= JsonSplitter::kMostSkeletonBytes);
    fuzz::require(whole.values().size() == stepped.values().size());
    for (const auto& value : whole.values()) {
      fuzz::require(is_within(value.text, body) && value.strings.size() <= JsonSplitter::kMostStrings);
      for (const auto text : value.strings) fuzz::require(is_within(text, value.text));
    }
    const auto request = common::oip::parse_infer_request(whole.skeleton(), whole.values().size());
    if (!request) fuzz::require(request.error().message.find('\n') == std::string::npos);
  }
  if (const auto picture = model::picture_in_oip({reinterpret_cast<const std::byte*>(data), size}, 1); !picture) {
    fuzz::require_one_line(picture.error(), common::ErrorCode::kBadRequest);
  }
  if (const auto unpacked = model::unpack({reinterpret_cast<const std::byte*>(data), size}, kMostUnpackedBytes)) {
    fuzz::require(unpacked->size() <= kMostUnpackedBytes);
  }
  const auto tensors = model::read_oip_tensors(body, {"x"}, true);
  if (!tensors) {
    fuzz::require(tensors.error().message.find('\n') == std::string::npos);
    return 0;
  }
  for (const auto& tensor : *tensors) {
    fuzz::require(common::array_bytes(tensor.type, tensor.shape) == tensor.bytes.size());
    fuzz::require(tensor.bytes.size() <= 8 * size);
  }
  return 0;
}
