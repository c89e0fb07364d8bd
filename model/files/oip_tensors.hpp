// Reads the tensors of an inference request of the Open Inference Protocol: JSON, and the bytes that follow it. Only a
// worker calls it: the bytes come from outside, and the conversion of many numbers would block the front-end's event
// loop. It does not use torch. Pure functions; any thread may call them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/tensor.hpp"
#include "common/oip/data_type.hpp"
#include "common/outcome.hpp"

namespace yolod::model {

// Returns the tensors that `inputs` names, in this order. With `takes_more`, the request's other tensors follow in
// their order. The front-end has checked the names and types, but a reload may have changed the model since. BF16
// becomes float32. An Error has code kBadRequest. If `header` is not null, it receives the skeleton of the JSON. Unless
// `reserve` is empty, it is called with the bytes of all tensors before they are allocated. If it returns false, the
// Error has code kImageTooComplex.
[[nodiscard]] common::Outcome<std::vector<common::TensorArray>> read_oip_tensors(
    std::string_view body, const std::vector<std::string>& inputs, bool takes_more, std::string* header = nullptr,
    const std::function<bool(std::uint64_t bytes)>& reserve = {});

// Returns the only tensor of a raw request: all of the body is its bytes. The length that `tensor` leaves open follows
// from their count. An Error has code kBadRequest.
[[nodiscard]] common::Outcome<common::TensorArray> read_raw_tensor(std::string_view body,
                                                                   const common::TensorConfig& tensor);

// Converts a JSON array, nested or flat, to `count` elements. NaN, Infinity and -Infinity are numbers here. Returns an
// Error (kBadRequest) if the array is not well formed, has another count, or has a value that the type does not have.
[[nodiscard]] common::Outcome<std::vector<std::byte>> read_json_numbers(std::string_view array,
                                                                        common::oip::DataType type,
                                                                        std::uint64_t count);

}  // namespace yolod::model
