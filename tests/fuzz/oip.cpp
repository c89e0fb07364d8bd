// Tests inference requests of the Open Inference Protocol: the splitting of JSON, its header, and the tensors, as the
// front-end and a worker read them.
#include <string>
#include <vector>

#include "common/oip/infer_request.hpp"
#include "model/files/oip_tensors.hpp"
#include "model/oip_picture.hpp"
#include "model/unpack.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/fuzz/json_split.hpp"

using namespace yolod;

namespace {

constexpr std::uint64_t kMostUnpackedBytes = 1U << 20U;

}  // namespace

YOLOD_FUZZ_TARGET(oip) {
  const auto body = fuzz::as_text(data, size);
  if (const auto split = fuzz::split_by(common::JsonSplitter::kTensors, body)) {
    const auto request = common::oip::parse_infer_request(split->skeleton(), split->values().size());
    if (!request) fuzz::require(request.error().message.find('\n') == std::string::npos);
  }
  if (const auto picture = model::picture_in_oip({reinterpret_cast<const std::byte*>(data), size}, 1); !picture) {
    const auto& error = picture.error();
    const bool is_of_parameters = error.code == common::ErrorCode::kInvalidParameter;
    fuzz::require_one_line(error, is_of_parameters ? error.code : common::ErrorCode::kBadRequest);
  }
  if (const auto planes = model::planes_in_oip({reinterpret_cast<const std::byte*>(data), size}, 1); planes) {
    fuzz::require(2 * planes->size() <= size);  // the second picture of several
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
