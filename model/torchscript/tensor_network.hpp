// A TorchScript file that takes and gives tensors, whatever they mean. No torch header here.
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

// Owned by one model; used by one thread at a time. Library exceptions end inside.
class TensorNetwork {
 public:
  // The config's source is a TorchScriptSource. Sets the process's LibTorch thread counts. Errors are kBadModel; so is
  // a forward() that wants anything but tensors, tuples and lists of them, and what has a default.
  [[nodiscard]] static common::Outcome<std::unique_ptr<TensorNetwork>> load(const common::ModelConfig& config,
                                                                            const LoadContext& context);
  TensorNetwork(const TensorNetwork&) = delete;
  TensorNetwork& operator=(const TensorNetwork&) = delete;
  ~TensorNetwork();

  // One name for each tensor that forward() takes, in its order: the argument's, or "argument.0" within a tuple. A list
  // of tensors, as the last, takes what is left.
  [[nodiscard]] const std::vector<std::string>& inputs() const;
  [[nodiscard]] bool takes_more() const;  // the last is a list
  [[nodiscard]] common::Precision precision() const;
  [[nodiscard]] const std::string& device() const;

  // `arrays` as inputs() asks for them. Floating-point ones are run in the network's precision. What it gives comes
  // back flat, in order, floating-point values as float32 or float64: named by its key where it lies in a dictionary,
  // else "arr_0", "arr_1" and so on, as numpy.savez does. An Error is kBadRequest: the module throws for these arrays.
  [[nodiscard]] common::Outcome<std::vector<NamedTensor>> run(std::span<const TensorArray> arrays);

 private:
  struct State;
  explicit TensorNetwork(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace yolod::model::torchscript
