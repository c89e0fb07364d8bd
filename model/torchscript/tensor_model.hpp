// task: tensor. A request's body is an .npy file for a network with one input, or an .npz file; the answer is an .npy
// file where the network gives one tensor, else an .npz file.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/config.hpp"
#include "common/outcome.hpp"
#include "model/model.hpp"
#include "model/npz.hpp"

namespace yolod::model {

// The body's arrays in the order of `inputs` (TensorNetwork): by their names, if all of those are there, else as
// numpy.savez names what it is given without names: arr_0, arr_1 and so on. With `takes_more` there may be more of the
// latter than `inputs`. An Error is kBadRequest.
[[nodiscard]] common::Outcome<std::vector<TensorArray>> read_arrays(std::string_view body,
                                                                    const std::vector<std::string>& inputs,
                                                                    bool takes_more);

[[nodiscard]] common::EncodedFile write_arrays(const std::vector<NamedTensor>& arrays);

// The config's source must be a TorchScriptSource. Errors are kBadModel.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> load_tensor_model(const common::ModelConfig& config,
                                                                        const Surroundings& surroundings);

}  // namespace yolod::model
