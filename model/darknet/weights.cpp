#include "model/darknet/weights.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/text.hpp"
#include "model/read_file.hpp"

namespace yolod::model::darknet {
namespace {

using common::Error;
using common::Outcome;

static_assert(std::endian::native == std::endian::little, "weights files are little-endian and read as they are");

// Values of a layer's LayerWeights.
struct Counts {
  std::int64_t biases{0};
  std::int64_t weights{0};
  bool batch_normalize{false};  // three more for each bias in the file
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

  template <typename T>
  bool read(T* values, std::size_t count) {
    const auto bytes = static_cast<std::streamsize>(count * sizeof(T));
    stream_.read(reinterpret_cast<char*>(values), bytes);
    return stream_.gcount() == bytes;
  }

  bool read(std::vector<float>& values, std::int64_t count) {
    values.resize(static_cast<std::size_t>(count));
    return read(values.data(), values.size());
  }

  // Weights of connected layers lie transposed in this file.
  bool transposed{false};

 private:
  std::ifstream stream_;
};

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

constexpr double kEpsilon = 1e-5;  // of Darknet's batch normalisation

bool read_normalization(Reader& reader, std::int64_t count, BatchNormalizationValues& values) {
  return reader.read(values.scales, count) && reader.read(values.means, count) && reader.read(values.variances, count);
}

// [rows, columns] to [columns, rows].
void transpose(std::vector<float>& values, std::size_t rows) {
  const auto columns = values.size() / rows;
  std::vector<float> turned(values.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) turned[c * rows + r] = values[r * columns + c];
  }
  values.swap(turned);
}

bool read_layer(Reader& reader, const Convolutional& kind, const Counts& sizes, LayerWeights& out) {
  BatchNormalizationValues normalization;
  if (!reader.read(out.biases, sizes.biases)) return false;
  if (sizes.batch_normalize && !read_normalization(reader, sizes.biases, normalization)) return false;
  if (!reader.read(out.weights, sizes.weights)) return false;
  if (kind.flipped && sizes.biases > 0) transpose(out.weights, out.weights.size() / out.biases.size());
  if (sizes.batch_normalize) fold(normalization, kEpsilon, out);
  return true;
}

bool read_layer(Reader& reader, const BatchNormalization& /*kind*/, const Counts& sizes, LayerWeights& out) {
  BatchNormalizationValues normalization;
  if (!reader.read(out.biases, sizes.biases) || !read_normalization(reader, sizes.biases, normalization)) return false;
  out.weights.assign(out.biases.size(), 1);
  fold(normalization, kEpsilon, out);
  return true;
}

bool read_layer(Reader& reader, const Connected& /*kind*/, const Counts& sizes, LayerWeights& out) {
  BatchNormalizationValues normalization;
  if (!reader.read(out.biases, sizes.biases) || !reader.read(out.weights, sizes.weights)) return false;
  if (reader.transposed) transpose(out.weights, out.weights.size() / out.biases.size());
  if (!sizes.batch_normalize) return true;
  if (!read_normalization(reader, sizes.biases, normalization)) return false;
  fold(normalization, kEpsilon, out);
  return true;
}

bool read_layer(Reader& reader, const Local& /*kind*/, const Counts& sizes, LayerWeights& out) {
  return reader.read(out.biases, sizes.biases) && reader.read(out.weights, sizes.weights);
}

// Normalises the factors of one channel, which lie `step` apart, as Darknet's fuse_conv_batchnorm() does.
void normalize(float* factors, std::size_t count, std::size_t step, WeightsNormalization normalization) {
  constexpr float kLeast = 0.001F;  // of kRelu: a factor is never 0
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

bool read_layer(Reader& reader, const Shortcut& kind, const Counts& sizes, LayerWeights& out) {
  if (!reader.read(out.weights, sizes.weights)) return false;
  if (kind.normalization == WeightsNormalization::kNone) return true;
  const auto terms = kind.from.size() + 1;
  const auto step = out.weights.size() / terms;
  for (std::size_t channel = 0; channel < step; ++channel)
    normalize(out.weights.data() + channel, terms, step, kind.normalization);
  return true;
}

template <typename Kind>
bool read_layer(Reader& /*reader*/, const Kind& /*kind*/, const Counts& /*sizes*/, LayerWeights& /*out*/) {
  return true;
}

Counts counts(const Layer& layer) {
  return std::visit([&layer](const auto& kind) { return counts(layer, kind); }, layer.kind);
}

struct Header {
  std::int64_t bytes{0};
  bool transposed{false};
};

Outcome<Header> read_header(Reader& reader, const std::string& name, std::int64_t size, std::int64_t payload) {
  // Far above any that was written; other kinds of file have more in these places.
  constexpr std::int32_t kMaxVersion = 2'000;
  std::array<std::int32_t, 3> version{};
  if (!reader.read(version.data(), version.size())) {
    return bad_model(name + ": " + std::to_string(size) + " bytes, too short for a weights file, or not readable");
  }
  if (std::memcmp(version.data(), "PK\x03\x04", 4) == 0) {
    return bad_model(name + ": a zip file, a PyTorch checkpoint perhaps: no Darknet weights file");
  }
  const auto [major, minor, revision] = version;
  if (major < 0 || minor < 0 || major > kMaxVersion || minor > kMaxVersion) {
    return bad_model(name + ": version " + std::to_string(major) + "." + std::to_string(minor) + "." +
                     std::to_string(revision) + " in its header: not a Darknet weights file");
  }
  const bool transposed = major > 1000 || minor > 1000;
  std::int64_t seen_bytes = major * 10 + minor >= 2 ? 8 : 4;
  if (transposed && size == 12 + 4 + payload) seen_bytes = 4;
  std::array<char, 8> seen{};
  if (size >= 12 + seen_bytes && !reader.read(seen.data(), static_cast<std::size_t>(seen_bytes)))
    return bad_model(name + ": cannot be read");
  return Header{12 + seen_bytes, transposed};
}

// What a file whose values end with those of a layer is; an empty string for others.
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

// With means m, deviations s, scales g: g * (w * x - m) / s + b = (w * g / s) * x + (b - m * g / s). Computed in
// double, as Darknet's fuse_conv_batchnorm() does.
void fold(const BatchNormalizationValues& normalization, double epsilon, LayerWeights& layer) {
  const auto outputs = layer.biases.size();
  const auto per_output = layer.weights.size() / outputs;
  for (std::size_t f = 0; f < outputs; ++f) {
    const double deviation = std::sqrt(static_cast<double>(normalization.variances[f]) + epsilon);
    const double factor = normalization.scales[f] / deviation;
    layer.biases[f] = static_cast<float>(layer.biases[f] - normalization.means[f] * factor);
    for (std::size_t i = f * per_output; i < (f + 1) * per_output; ++i) {
      layer.weights[i] = static_cast<float>(layer.weights[i] * factor);
    }
  }
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

Outcome<Weights> read_weights(const std::filesystem::path& file, const Network& network) {
  const auto name = file.string();
  if (network.rules != Rules::kDarknet) {
    return bad_model(name + ": " + network.source_name +
                     " has what only Ultralytics' yolov3 knows: a checkpoint of it (.pt) is needed");
  }
  std::error_code status;
  const auto type = std::filesystem::status(file, status).type();
  if (type == std::filesystem::file_type::not_found) return bad_model(name + ": no such file");
  if (status) return bad_model(name + ": " + status.message());
  if (type != std::filesystem::file_type::regular) return bad_model(name + ": not a regular file");
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(file, status));
  if (status) return bad_model(name + ": " + status.message());

  Reader reader(file);
  const auto payload = 4 * weight_count(network);
  const auto header = read_header(reader, name, size, payload);
  if (!header) return header.error();
  if (const auto needed = header->bytes + payload; size != needed)
    return bad_model(name + ": " + wrong_size(network, size, needed, header->bytes));
  reader.transposed = header->transposed;

  Weights weights;
  try {
    weights.layers.resize(network.layers.size());
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      const auto& layer = network.layers[i];
      auto& out = weights.layers[i];
      const bool whole =
          std::visit([&](const auto& kind) { return read_layer(reader, kind, counts(layer, kind), out); }, layer.kind);
      if (!whole) return bad_model(name + ": ended or failed while layer " + std::to_string(i) + " was read");
      if (!all_finite(out.biases) || !all_finite(out.weights)) {
        return bad_model(name + ": layer " + std::to_string(i) + " ([" + common::printable(layer.section, 40) +
                         "] at " + network.source_name + ":" + std::to_string(layer.line) +
                         ") has weights that are not finite numbers: the file is damaged, or of another network");
      }
    }
  } catch (const std::bad_alloc&) {
    return bad_model(name + ": no memory for its weights");
  }
  return weights;
}

}  // namespace yolod::model::darknet
