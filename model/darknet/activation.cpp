#include "model/darknet/activation.hpp"

#include <array>
#include <utility>

namespace yolod::model::darknet {

std::optional<Activation> activation_from(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Activation>, 17> kNames{{
      {"linear", Activation::kLinear},
      {"leaky", Activation::kLeaky},
      {"revleaky", Activation::kLeaky},  // it differs only in training
      {"relu", Activation::kRelu},
      {"relu6", Activation::kRelu6},
      {"relie", Activation::kRelie},
      {"ramp", Activation::kRamp},
      {"elu", Activation::kElu},
      {"selu", Activation::kSelu},
      {"gelu", Activation::kGelu},
      {"logistic", Activation::kLogistic},
      {"loggy", Activation::kLoggy},
      {"tanh", Activation::kTanh},
      {"hardtan", Activation::kHardtan},
      {"swish", Activation::kSwish},
      {"mish", Activation::kMish},
      {"hard_mish", Activation::kHardMish},
  }};
  for (const auto& [known, activation] : kNames) {
    if (known == name) return activation;
  }
  return std::nullopt;
}

// The formulas and constants come from AlexeyAB/darknet, src/activations.h.
std::string activation_source(Activation activation, const std::string& name) {
  auto assign = [&name](const std::string& expression) { return "  " + name + " = " + expression + "\n"; };
  switch (activation) {
    case Activation::kLinear: return {};
    case Activation::kLeaky: return assign("torch.leaky_relu_(" + name + ", 0.1)");
    case Activation::kRelu: return assign("torch.relu_(" + name + ")");
    case Activation::kRelu6: return assign("torch.clamp_(" + name + ", 0.0, 6.0)");
    case Activation::kRelie: return assign("torch.leaky_relu_(" + name + ", 0.01)");
    case Activation::kRamp: return assign("torch.relu(" + name + ") + " + name + " * 0.1");
    case Activation::kElu: return assign("torch.elu_(" + name + ")");
    case Activation::kSelu: return assign("torch.selu_(" + name + ")");
    case Activation::kGelu:
      return assign(name + " * 0.5 * (torch.tanh(" + name + " * 0.797885 + " + name + " * " + name + " * " + name +
                    " * 0.035677) + 1.0)");
    case Activation::kLogistic: return assign("torch.sigmoid_(" + name + ")");
    case Activation::kLoggy: return assign("torch.sigmoid(" + name + ") * 2.0 - 1.0");
    case Activation::kTanh: return assign("torch.tanh_(" + name + ")");
    case Activation::kHardtan: return assign("torch.clamp_(" + name + ", -1.0, 1.0)");
    case Activation::kSwish: return assign("torch.silu_(" + name + ")");
    // LibTorch 1.13 has no mish for bf16 on the CPU, so this converts to float. For a float tensor neither conversion
    // makes a copy.
    case Activation::kMish: return assign("torch.to(torch.mish_(torch.to(" + name + ", 6)), " + name + ")");
    // The value is x above 0, x * x / 2 + x from -2 to 0, otherwise 0. The middle formula is 0 at both of its ends,
    // so the terms can be added.
    case Activation::kHardMish:
      return "  t = torch.clamp(" + name + ", -2.0, 0.0)\n" + assign("torch.relu(" + name + ") + (t * t * 0.5 + t)");
  }
  return {};
}

}  // namespace yolod::model::darknet
