// Builds TorchScript source statement by statement, with the tensors that it uses. Private to darknet/.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "model/compiled_network.hpp"

namespace yolod::model::darknet {

// Returns the shortest source text that reads as the same float, always with a point or an exponent.
inline std::string literal(double value) {
  std::array<char, 64> buffer{};
  const auto [end, status] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), status == std::errc{} ? end : buffer.data());
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

// Returns the source of a list of integers.
inline std::string list(std::initializer_list<std::int64_t> values) {
  std::string text;
  for (const auto value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "[" + text + "]";
}

inline std::string narrow(const std::string& value, int dimension, std::int64_t start, std::int64_t count) {
  return "torch.narrow(" + value + ", " + std::to_string(dimension) + ", " + std::to_string(start) + ", " +
         std::to_string(count) + ")";
}

inline std::string reshape(const std::string& value, std::initializer_list<std::int64_t> shape) {
  return "torch.reshape(" + value + ", " + list(shape) + ")";
}

inline std::string permute(const std::string& value, std::initializer_list<std::int64_t> order) {
  return "torch.permute(" + value + ", " + list(order) + ")";
}

inline std::string concatenate(const std::string& values, int dimension) {
  return "torch.cat([" + values + "], " + std::to_string(dimension) + ")";
}

// 6 is the number of float in LibTorch.
inline std::string to_float(const std::string& value) { return "torch.to(" + value + ", 6)"; }

class SourceBuilder {
 public:
  void assign(const std::string& name, const std::string& expression) {
    source_ += "  " + name + " = " + expression + "\n";
  }
  // Appends complete statements.
  void append(const std::string& statements) { source_ += statements; }

  // Adds a tensor and returns its name in the source.
  std::string parameter(std::string name, std::vector<std::int64_t> shape, std::vector<float> values,
                        bool follows_precision) {
    auto reference = "self." + name;
    parameters_.push_back({std::move(name), std::move(shape), std::move(values), follows_precision});
    return reference;
  }

  // The statements so far as the body of forward(), which returns `result`. The builder is empty afterwards.
  CompiledNetwork finish(const std::string& result, const std::string& arguments = "x: Tensor",
                         const std::string& type = "Tensor") {
    CompiledNetwork network;
    network.source = "def forward(self, " + arguments + ") -> " + type + ":\n" + source_ + "  return " + result + "\n";
    network.parameters = std::move(parameters_);
    source_.clear();
    return network;
  }

 private:
  std::string source_;
  std::vector<NetworkParameter> parameters_;
};

}  // namespace yolod::model::darknet
