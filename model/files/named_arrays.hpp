// A request's tensors and an answer's, as .npy and .npz files. No torch here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/domain/prediction.hpp"
#include "common/outcome.hpp"
#include "model/files/npz.hpp"

namespace yolod::model {

// The body's arrays in the order of `inputs` (TensorNetwork): by their names, if all of those are there, else as
// numpy.savez names what it is given without names: arr_0, arr_1 and so on. With `takes_more` there may be more of the
// latter than `inputs`. An Error is kBadRequest.
[[nodiscard]] common::Outcome<std::vector<TensorArray>> read_arrays(std::string_view body,
                                                                    const std::vector<std::string>& inputs,
                                                                    bool takes_more);

[[nodiscard]] common::EncodedFile write_arrays(const std::vector<NamedTensor>& arrays);

}  // namespace yolod::model
