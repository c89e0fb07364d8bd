#include "model/darknet/weights.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/text.hpp"
#include "model/bad_model.hpp"

namespace yolod::model::darknet {
namespace {

using common::Error;
using common::Outcome;

static_assert(std::endian::native == std::endian::little,
              "weights files are little-endian and are read without conversion");

// The number of values in a layer's LayerWeights.
struct Counts {
  std::int64_t biases{0};
  std::int64_t weights{0};
  bool batch_normalize{false};  // the file has three more values for each bias
};

std::int64_t area(int size) { return static_cast<std::int64_t>(size) * size; }

Counts counts(const Layer& layer, const Convolutional& kind) {
  if (kind.shared_from) return {};
  return {kind.filters, kind.filters * static_cast<std::int64_t>(layer.input.channels / kind.groups) * area(kind.size),
          kind.batch_normalize};
}

Counts counts(const Layer& layer, const MixedConvolutional& kind) {
  Counts sum{0, 0, kind.batch_normalize};
  for (const auto& part : kind.parts) {
    sum.biases += part.filters;
    sum.weights += static_cast<std::int64_t>(part.filters) * layer.input.channels * area(part.size);
  }
  return sum;
}

Counts counts(const Layer& layer, const BatchNormalization& /*kind*/) { return {layer.input.channels, 0, true}; }

Counts counts(const Layer& layer, const Connected& kind) {
  return {kind.outputs, kind.outputs * layer.input.count(), kind.batch_normalize};
}

Counts counts(const Layer& layer, const Local& kind) {
  return {layer.output.count(), layer.output.count() * layer.input.channels * area(kind.size), false};
}

Counts counts(const Layer& layer, const Shortcut& kind) {
  const auto terms = static_cast<std::int64_t>(kind.from.size()) + 1;
  switch (kind.weights) {
    case ShortcutWeights::kNone: return {};
    case ShortcutWeights::kPerFeature: return {0, terms, false};
    case ShortcutWeights::kPerChannel: return {0, terms * layer.output.channels, false};
  }
  return {};
}

template <typename Kind>
Counts counts(const Layer& /*layer*/, const Kind& /*kind*/) {
  return {};
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : stream_(file, std::ios::binary) {}
  [[nodiscard]] bool is_open() const { return stream_.is_open(); }

  template <typename T>
  bool read(T* values, std::size_t count) {
    const auto bytes = static_cast<std::streamsize>(count * sizeof(T));
    stream_.read(reinterpret_cast<char*>(values), bytes);
    return stream_.gcount() == bytes;
  }

  // The weights of connected layers are transposed in this file.
  bool transposed{false};

 private:
  std::ifstream stream_;
};

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// Normalises the factors of one channel, which are `step` apart, as Darknet's fuse_conv_batchnorm() does.
void normalize(float* factors, std::size_t count, std::size_t step, WeightsNormalization normalization) {
  constexpr float kLeast = 0.001F;  // for kRelu: a factor is never 0
  float largest = factors[0];
  for (std::size_t i = 1; i < count; ++i) largest = std::max(largest, factors[i * step]);
  float sum = 0.0001F;
  for (std::size_t i = 0; i < count; ++i) {
    float& factor = factors[i * step];
    factor = normalization == WeightsNormalization::kRelu ? std::max(factor, kLeast) : std::exp(factor - largest);
    sum += factor;
  }
  for (std::size_t i = 0; i < count; ++i) factors[i * step] /= sum;
}

void normalize_factors(const Shortcut& shortcut, std::vector<float>& factors) {
  const auto terms = shortcut.from.size() + 1;
  const auto step = factors.size() / terms;
  switch (shortcut.normalization) {
    case WeightsNormalization::kNone: return;
    case WeightsNormalization::kSigmoid:
      for (float& factor : factors) factor = 2.0F / static_cast<float>(terms) / (1 + std::exp(-factor));
      return;
    case WeightsNormalization::kRelu:
    case WeightsNormalization::kSoftmax: break;
  }
  for (std::size_t channel = 0; channel < step; ++channel)
    normalize(factors.data() + channel, terms, step, shortcut.normalization);
}

// A run of outputs of a layer that have the same number of weights each.
struct OutputRun {
  std::size_t outputs{0};
  std::size_t weights_each{0};
};

std::vector<OutputRun> output_runs(const Layer& layer, const LayerWeights& weights) {
  const auto* mixed = std::get_if<MixedConvolutional>(&layer.kind);
  if (mixed == nullptr) return {{weights.biases.size(), weights.weights.size() / weights.biases.size()}};
  std::vector<OutputRun> runs;
  for (const auto& part : mixed->parts) {
    runs.push_back(
        {static_cast<std::size_t>(part.filters), static_cast<std::size_t>(layer.input.channels * area(part.size))});
  }
  return runs;
}

bool read_layer(Reader& reader, const Layer& layer, StoredLayer& values) {
  values = empty_values(layer);
  for (auto* list : in_file_order(layer, values)) {
    if (!reader.read(list->data(), list->size())) return false;
  }
  const auto* convolution = std::get_if<Convolutional>(&layer.kind);
  const bool turned = (convolution != nullptr && convolution->flipped) ||
                      (reader.transposed && std::holds_alternative<Connected>(layer.kind));
  if (turned && !values.biases.empty()) transpose(values.weights, values.weights.size() / values.biases.size());
  return true;
}

Counts counts(const Layer& layer) {
  return std::visit([&layer](const auto& kind) { return counts(layer, kind); }, layer.kind);
}

struct Header {
  std::int64_t bytes{0};
  std::int64_t seen{0};
  bool transposed{false};
};

Outcome<Header> read_header(Reader& reader, const std::string& name, std::int64_t size, std::int64_t payload) {
  // Far above every published version; other kinds of file have larger numbers here.
  constexpr std::int32_t kMaxVersion = 2'000;
  std::array<std::int32_t, 3> version{};
  if (!reader.read(version.data(), version.size())) {
    return bad_model(name + ": " + std::to_string(size) + " bytes, too short for a weights file");
  }
  if (std::memcmp(version.data(), "PK\x03\x04", 4) == 0) {
    return bad_model(name + ": this is a zip file, perhaps a PyTorch checkpoint, and not a Darknet weights file");
  }
  const auto [major, minor, revision] = version;
  if (major < 0 || minor < 0 || major > kMaxVersion || minor > kMaxVersion) {
    return bad_model(name + ": version " + std::to_string(major) + "." + std::to_string(minor) + "." +
                     std::to_string(revision) + " in its header: not a Darknet weights file");
  }
  const bool transposed = major > 1000 || minor > 1000;
  std::int64_t seen_bytes = major * 10 + minor >= 2 ? 8 : 4;
  if (transposed && size == 12 + 4 + payload) seen_bytes = 4;
  std::int64_t seen = 0;
  if (size >= 12 + seen_bytes && !reader.read(reinterpret_cast<char*>(&seen), static_cast<std::size_t>(seen_bytes)))
    return bad_model(name + ": cannot be read");
  return Header{12 + seen_bytes, seen, transposed};
}

// Returns a description of a file whose values end at the end of a layer; an empty text for other files.
std::string partial_file(const Network& network, std::int64_t payload) {
  std::int64_t end = 0;
  for (std::size_t i = 0; i < network.layers.size() && end < payload; ++i) {
    end += 4 * weight_count(network.layers[i]);
    if (end != payload) continue;
    return ": it ends after the first " + std::to_string(i + 1) + " of " + std::to_string(network.layers.size()) +
           " layers, a partial file (\".conv." + std::to_string(i + 1) + "\") for training to begin with";
  }
  return {};
}

std::string wrong_size(const Network& network, std::int64_t size, std::int64_t needed, std::int64_t header_bytes) {
  const bool short_of = size < needed;
  const auto difference = std::to_string(short_of ? needed - size : size - needed);
  return std::to_string(size) + " bytes, " + network.source_name + " needs " + std::to_string(needed) + ": " +
         difference + (short_of ? " too few" : " too many") +
         (short_of ? partial_file(network, size - header_bytes) : "");
}

}  // namespace

void transpose(std::vector<float>& values, std::size_t rows) {
  const auto columns = values.size() / rows;
  std::vector<float> turned(values.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) turned[c * rows + r] = values[r * columns + c];
  }
  values.swap(turned);
}

StoredLayer empty_values(const Layer& layer) {
  const auto sizes = counts(layer);
  const auto list = [](std::int64_t count) { return std::vector<float>(static_cast<std::size_t>(count)); };
  StoredLayer values{list(sizes.biases), std::nullopt, list(sizes.weights)};
  if (sizes.batch_normalize) values.normalization = {list(sizes.biases), list(sizes.biases), list(sizes.biases)};
  return values;
}

std::vector<std::vector<float>*> in_file_order(const Layer& layer, StoredLayer& values) {
  auto& normalization = values.normalization;
  if (!normalization) return {&values.biases, &values.weights};
  if (std::holds_alternative<Connected>(layer.kind))
    return {&values.biases, &values.weights, &normalization->scales, &normalization->means, &normalization->variances};
  return {&values.biases, &normalization->scales, &normalization->means, &normalization->variances, &values.weights};
}

// With means m, deviations s, scales g: g * (w * x - m) / s + b = (w * g / s) * x + (b - m * g / s). It computes in
// double, like Darknet's fuse_conv_batchnorm().
LayerWeights fold(const Layer& layer, StoredLayer values, double epsilon) {
  LayerWeights out{std::move(values.biases), std::move(values.weights)};
  if (const auto* shortcut = std::get_if<Shortcut>(&layer.kind)) normalize_factors(*shortcut, out.weights);
  if (!values.normalization) return out;
  // a separate batch normalisation has no weights of its own
  if (out.weights.empty()) out.weights.assign(out.biases.size(), 1);
  const auto& [scales, means, variances] = *values.normalization;
  std::size_t output = 0;
  auto weight = out.weights.begin();
  for (const auto& run : output_runs(layer, out)) {
    for (const auto end = output + run.outputs; output < end; ++output) {
      const double factor = scales[output] / std::sqrt(static_cast<double>(variances[output]) + epsilon);
      out.biases[output] = static_cast<float>(out.biases[output] - means[output] * factor);
      for (std::size_t i = 0; i < run.weights_each; ++i, ++weight) *weight = static_cast<float>(*weight * factor);
    }
  }
  return out;
}

std::string not_finite(const Network& network, std::size_t index, const LayerWeights& weights) {
  if (all_finite(weights.biases) && all_finite(weights.weights)) return {};
  const auto& layer = network.layers[index];
  return "layer " + std::to_string(index) + " ([" + common::printable(layer.section, 40) + "] at " +
         network.source_name + ":" + std::to_string(layer.line) + ") has weights that are not finite numbers";
}

Outcome<Weights> fold(const Network& network, StoredWeights stored, double epsilon) {
  Weights weights;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    weights.layers.push_back(fold(network.layers[i], std::move(stored.layers[i]), epsilon));
    if (auto problem = not_finite(network, i, weights.layers.back()); !problem.empty())
      return bad_model(std::move(problem));
  }
  return weights;
}

std::int64_t weight_count(const Layer& layer) {
  const auto sizes = counts(layer);
  return sizes.weights + (sizes.batch_normalize ? 4 : 1) * sizes.biases;
}

std::int64_t weight_count(const Network& network) {
  std::int64_t count = 0;
  for (const auto& layer : network.layers) count += weight_count(layer);
  return count;
}

namespace {

// Reads layers while the file has values left. With `may_end_early` the file may end at the end of any layer;
// otherwise the file must have all layers.
Outcome<StoredWeights> read_layers(const std::filesystem::path& file, const Network& network, bool may_end_early) {
  const auto name = file.string();
  if (network.rules != Rules::kDarknet) {
    return bad_model(name + ": " + network.source_name +
                     " uses features of Ultralytics' yolov3; its weights must be a checkpoint (.pt)");
  }
  std::error_code status;
  const auto type = std::filesystem::status(file, status).type();
  if (type == std::filesystem::file_type::not_found) return bad_model(name + ": no such file");
  if (status) return bad_model(name + ": " + status.message());
  if (type != std::filesystem::file_type::regular) return bad_model(name + ": not a regular file");
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(file, status));
  if (status) return bad_model(name + ": " + status.message());

  errno = 0;
  Reader reader(file);
  if (!reader.is_open()) return bad_model(name + ": " + std::generic_category().message(errno != 0 ? errno : EIO));
  const auto payload = 4 * weight_count(network);
  const auto header = read_header(reader, name, size, payload);
  if (!header) return header.error();
  const auto there = size - header->bytes;
  const bool is_start = may_end_early && there > 0 && !partial_file(network, there).empty();
  if (there != payload && !is_start)
    return bad_model(name + ": " + wrong_size(network, size, header->bytes + payload, header->bytes));
  reader.transposed = header->transposed;

  StoredWeights weights;
  weights.seen = header->seen;
  try {
    weights.layers.resize(network.layers.size());
    std::int64_t left = there;
    for (std::size_t i = 0; i < network.layers.size() && left > 0; ++i) {
      if (!read_layer(reader, network.layers[i], weights.layers[i]))
        return bad_model(name + ": ended or failed while layer " + std::to_string(i) + " was read");
      left -= 4 * weight_count(network.layers[i]);
    }
  } catch (const std::bad_alloc&) {
    return bad_model(name + ": no memory for its weights");
  }
  return weights;
}

}  // namespace

Outcome<StoredWeights> read_stored_weights(const std::filesystem::path& file, const Network& network) {
  return read_layers(file, network, false);
}

Outcome<StoredWeights> read_first_weights(const std::filesystem::path& file, const Network& network) {
  return read_layers(file, network, true);
}

Outcome<Weights> read_weights(const std::filesystem::path& file, const Network& network) {
  auto stored = read_stored_weights(file, network);
  if (!stored) return std::move(stored).error();
  try {
    auto weights = fold(network, std::move(*stored), kBatchNormEpsilon);
    if (!weights) {
      return bad_model(file.string() + ": " + weights.error().message +
                       ": the file is damaged or belongs to another network");
    }
    return weights;
  } catch (const std::bad_alloc&) {
    return bad_model(file.string() + ": no memory for its weights");
  }
}

}  // namespace yolod::model::darknet
