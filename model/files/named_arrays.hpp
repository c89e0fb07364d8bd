// Reads and writes the tensors of requests and answers as .npy and .npz files. It does not use torch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/domain/prediction.hpp"
#include "common/outcome.hpp"
#include "model/files/npz.hpp"

namespace yolod::model {

// Returns the body's arrays in the order of `inputs` (TensorNetwork). It finds them by name if all names exist,
// otherwise by the names that numpy.savez gives to arrays without names: arr_0, arr_1 and so on. With `takes_more`
// there may be more such arrays than `inputs`. An Error has code kBadRequest.
[[nodiscard]] common::Outcome<std::vector<TensorArray>> read_arrays(std::string_view body,
                                                                    const std::vector<std::string>& inputs,
                                                                    bool takes_more);

[[nodiscard]] common::EncodedFile write_arrays(const std::vector<NamedTensor>& arrays);

}  // namespace yolod::model
