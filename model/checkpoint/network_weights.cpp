#include "model/checkpoint/network_weights.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/text.hpp"
#include "model/bad_model.hpp"

namespace yolod::model::checkpoint {
namespace {

using common::Outcome;

// A checkpoint of another network differs in hundreds of places; the first few suffice.
constexpr std::size_t kMaxProblemsShown = 3;

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

struct Found {
  std::string name;
  const Tensor* tensor{nullptr};
};

struct Normalization {
  Found scales;
  Found means;
  Found variances;
};

// The tensors of one layer. A mixed convolution has weights for each size, and also biases if it has no batch
// normalisation.
struct LayerTensors {
  std::vector<Found> weights;
  std::vector<Found> biases;  // the biases of the batch normalisation, if the layer has one
  std::optional<Normalization> normalization;
};

// Finds the tensors that the layers need, and collects the problems.
class Finder {
 public:
  explicit Finder(const StateDict& tensors) : tensors_(tensors) {}

  Found find(const std::string& name, const std::vector<std::uint64_t>& shape) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      problem(name + " is missing");
      return {name, nullptr};
    }
    found_.insert(name);
    if (found->second.shape != shape) {
      problem(name + " is " + shape_text(found->second.shape) + ", the cfg needs " + shape_text(shape));
    }
    return {name, &found->second};
  }

  // Returns all problems in one line; empty if there are none.
  std::string problems() {
    for (const auto& [name, tensor] : tensors_) {
      if (!found_.contains(name) && !is_counter(name))
        problem(common::printable(name, 100) + " belongs to no layer of the cfg");
    }
    if (count_ > kMaxProblemsShown) text_ += "; and " + std::to_string(count_ - kMaxProblemsShown) + " more";
    return text_;
  }

 private:
  void problem(const std::string& what) {
    if (++count_ <= kMaxProblemsShown) text_ += (count_ == 1 ? "" : "; ") + what;
  }

  const StateDict& tensors_;
  std::set<std::string, std::less<>> found_;
  std::size_t count_{0};
  std::string text_;
};

// Finds the tensors of one layer; a layer without tensors needs none.
class LayerFinder {
 public:
  LayerFinder(Finder& finder, std::size_t index, const darknet::Layer& layer)
      : finder_(finder), stem_("module_list." + std::to_string(index) + "."), layer_(layer) {}

  LayerTensors find() {
    std::visit([this](const auto& kind) { find(kind); }, layer_.kind);
    return std::move(tensors_);
  }

 private:
  void find(const darknet::Convolutional& kind) {
    find_kernel("Conv2d", kind);
    if (kind.batch_normalize) find_normalization("BatchNorm2d.", kind.filters);
  }

  void find(const darknet::MixedConvolutional& kind) {
    for (std::size_t i = 0; i < kind.parts.size(); ++i) {
      auto part = kind.part(i);
      part.batch_normalize = kind.batch_normalize;
      find_kernel("MixConv2d.m." + std::to_string(i), part);
    }
    if (kind.batch_normalize) find_normalization("BatchNorm2d.", layer_.output.channels);
  }

  void find(const darknet::BatchNormalization& /*kind*/) { find_normalization("", layer_.output.channels); }

  void find(const darknet::Shortcut& kind) {
    if (kind.weights != darknet::ShortcutWeights::kNone)
      tensors_.weights.push_back(finder_.find(stem_ + "w", {kind.from.size() + 1}));
  }

  template <typename Kind>
  void find(const Kind& /*kind*/) {}

  void find_kernel(const std::string& module, const darknet::Convolutional& kind) {
    const auto filters = static_cast<std::uint64_t>(kind.filters);
    const auto size = static_cast<std::uint64_t>(kind.size);
    const auto channels = static_cast<std::uint64_t>(layer_.input.channels / kind.groups);
    tensors_.weights.push_back(finder_.find(stem_ + module + ".weight", {filters, channels, size, size}));
    if (!kind.batch_normalize) tensors_.biases.push_back(finder_.find(stem_ + module + ".bias", {filters}));
  }

  void find_normalization(const std::string& module, int channel_count) {
    const std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(channel_count)};
    tensors_.biases.push_back(finder_.find(stem_ + module + "bias", shape));
    tensors_.normalization = {finder_.find(stem_ + module + "weight", shape),
                              finder_.find(stem_ + module + "running_mean", shape),
                              finder_.find(stem_ + module + "running_var", shape)};
  }

  Finder& finder_;
  std::string stem_;
  const darknet::Layer& layer_;
  LayerTensors tensors_;
};

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// Reads the values of the found tensors until the first problem, which it keeps.
class ValueReader {
 public:
  explicit ValueReader(Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  std::vector<float> read(const Found& found) {
    if (error_) return {};
    auto values = checkpoint_.values(found.name, *found.tensor);
    if (!values) {
      error_ = std::move(values).error();
      return {};
    }
    if (!all_finite(*values)) {
      error_ = bad_model(checkpoint_.name() + ": " + found.name +
                         " has values that are not finite numbers: the file is damaged, or its training failed");
      return {};
    }
    return std::move(values).value();
  }

  [[nodiscard]] const std::optional<common::Error>& error() const { return error_; }

 private:
  Checkpoint& checkpoint_;
  std::optional<common::Error> error_;
};

void append(std::vector<float>& all, const std::vector<float>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

darknet::StoredLayer read_layer(ValueReader& reader, const LayerTensors& tensors) {
  darknet::StoredLayer out;
  for (const auto& found : tensors.biases) append(out.biases, reader.read(found));
  for (const auto& found : tensors.weights) append(out.weights, reader.read(found));
  if (tensors.normalization) {
    out.normalization = {reader.read(tensors.normalization->scales), reader.read(tensors.normalization->means),
                         reader.read(tensors.normalization->variances)};
  }
  return out;
}

}  // namespace

Outcome<darknet::StoredWeights> read_stored_weights(Checkpoint& checkpoint, const darknet::Network& network) {
  Finder finder(checkpoint.tensors());
  std::vector<LayerTensors> layers;
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    layers.push_back(LayerFinder(finder, i, network.layers[i]).find());
  if (const auto problems = finder.problems(); !problems.empty())
    return bad_model(checkpoint.name() + ": does not fit " + network.source_name + ": " + problems);
  try {
    darknet::StoredWeights weights;
    ValueReader reader(checkpoint);
    for (const auto& tensors : layers) {
      weights.layers.push_back(read_layer(reader, tensors));
      if (reader.error()) return *reader.error();
    }
    return weights;
  } catch (const std::bad_alloc&) {
    return bad_model(checkpoint.name() + ": no memory for its weights");
  }
}

Outcome<darknet::Weights> read_weights(Checkpoint& checkpoint, const darknet::Network& network) {
  auto stored = read_stored_weights(checkpoint, network);
  if (!stored) return std::move(stored).error();
  try {
    auto weights = darknet::fold(network, std::move(*stored), kBatchNormEpsilon);
    if (!weights) {  // for example a negative variance
      return bad_model(checkpoint.name() + ": " + weights.error().message +
                       " after its batch normalisation is folded in");
    }
    return weights;
  } catch (const std::bad_alloc&) {
    return bad_model(checkpoint.name() + ": no memory for its weights");
  }
}

}  // namespace yolod::model::checkpoint
