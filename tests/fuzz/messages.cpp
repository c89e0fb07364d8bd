// Tests the lane as a compromised worker could write it: answers and descriptions of its model.
#include "ipc/description_codec.hpp"
#include "ipc/prediction_codec.hpp"

#include <span>
#include <vector>

#include "common/forwarded_line.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(messages) {
  const auto text = fuzz::as_text(data, size);
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  std::vector<std::byte> room(size + 4096);
  if (const auto prediction = ipc::decode_prediction(bytes)) {
    const auto written = ipc::encode_prediction(*prediction, room);
    fuzz::require(written && ipc::decode_prediction(std::span(room).first(*written)) == prediction);
  }
  if (const auto description = ipc::decode_description(bytes)) {
    const auto written = ipc::encode_description(*description, room);
    fuzz::require(written && ipc::decode_description(std::span(room).first(*written)) == description);
  }
  const auto line = common::parse_forwarded_line(text);
  fuzz::require(line.message.size() <= text.size());
  return 0;
}
