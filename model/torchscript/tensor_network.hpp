// A TorchScript file that takes and returns tensors of any meaning. It includes no torch header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/files/npz.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::model::torchscript {

// One model owns it, and one thread at a time uses it. It catches exceptions of libraries.
class TensorNetwork {
 public:
  // Loads the file and sets the process's LibTorch thread counts. REQUIRES: the config's source is a
  // TorchScriptSource. Errors have code kBadModel. The arguments of forward() must be tensors, tuples and lists of
  // tensors, or have a default; otherwise the result is an Error.
  [[nodiscard]] static common::Outcome<std::unique_ptr<TensorNetwork>> load(const common::ModelConfig& config,
                                                                            const LoadContext& context);
  TensorNetwork(const TensorNetwork&) = delete;
  TensorNetwork& operator=(const TensorNetwork&) = delete;
  ~TensorNetwork();

  // Returns a name for each tensor that forward() takes, in order: the argument's name, or "argument.0" within a
  // tuple. If the last argument is a list of tensors, it takes all remaining arrays.
  [[nodiscard]] const std::vector<std::string>& inputs() const;
  [[nodiscard]] bool takes_more() const;  // true if the last argument is a list
  [[nodiscard]] common::Precision precision() const;
  [[nodiscard]] const std::string& device() const;

  // `arrays` must be in the order of inputs(). Their memory becomes the network's input, and lives as long as the
  // module keeps it. Floating-point arrays are converted to the network's precision. The result has all output tensors
  // in order, with floating-point values as float32 or float64. A tensor's name is its key in a dictionary, otherwise
  // "arr_0", "arr_1" and so on, as with numpy.savez. Returns an Error with code kBadRequest if the module throws for
  // these arrays.
  [[nodiscard]] common::Outcome<std::vector<NamedTensor>> run(std::vector<TensorArray> arrays);

 private:
  struct State;
  explicit TensorNetwork(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Converts an array of float32 to float16; other arrays stay as they are. Returns false if there is no memory.
[[nodiscard]] bool narrow(TensorArray& array);

}  // namespace yolod::model::torchscript
