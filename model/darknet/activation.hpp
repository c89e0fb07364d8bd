// Darknet's activation functions, by the names that a cfg gives them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace yolod::model::darknet {

// Those that act on each value alone. (normalize_channels and its kin act across channels, stair, plse and lhtan appear
// in no published network.)
enum class Activation {
  kLinear,
  kLeaky,
  kRelu,
  kRelu6,
  kRelie,
  kRamp,
  kElu,
  kSelu,
  kGelu,
  kLogistic,
  kLoggy,
  kTanh,
  kHardtan,
  kSwish,
  kMish,
  kHardMish,
};

// Nothing for a name that is not served. Darknet itself falls back to relu there, which hides a misspelling.
[[nodiscard]] std::optional<Activation> activation_from(std::string_view name);

// TorchScript statements, each "  name = ...\n", that replace the tensor `name` by its activation; none for kLinear.
// `name` must be a tensor that nothing else refers to: some are done in place.
[[nodiscard]] std::string activation_source(Activation activation, const std::string& name);

}  // namespace yolod::model::darknet
