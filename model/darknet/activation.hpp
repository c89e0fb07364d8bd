// Darknet's activation functions, by their names in a cfg.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace yolod::model::darknet {

// The functions that act on each value separately. (normalize_channels and similar functions act across channels;
// stair, plse and lhtan appear in no published network.)
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

// Returns nullopt for an unsupported name. Darknet itself uses relu in that case, which hides a misspelling.
[[nodiscard]] std::optional<Activation> activation_from(std::string_view name);

// Returns TorchScript statements, each "  name = ...\n", that replace the tensor `name` by its activation; none for
// kLinear. REQUIRES: no other value refers to the tensor, because some statements work in place.
[[nodiscard]] std::string activation_source(Activation activation, const std::string& name);

}  // namespace yolod::model::darknet
