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

std::int64_t kernel_count(const Layer& layer, const Convolutional& convolution) {
  return static_cast<std::int64_t>(convolution.filters) * (layer.input.channels / convolution.groups) *
         convolution.size * convolution.size;
}

std::int64_t weight_count(const Layer& layer) {
  const auto* convolution = std::get_if<Convolutional>(&layer.kind);
  if (convolution == nullptr) return 0;
  return kernel_count(layer, *convolution) +
         (convolution->batch_normalize ? 4 : 1) * static_cast<std::int64_t>(convolution->filters);
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
  bool read(std::vector<float>& values) { return read(values.data(), values.size()); }

 private:
  std::ifstream stream_;
};

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// With means m, deviations s, scales g: g * (w * x - m) / s + b = (w * g / s) * x + (b - m * g / s). Computed in
// double, as Darknet's fuse_conv_batchnorm() does, with its epsilon.
bool read_convolution(Reader& reader, const Convolutional& convolution, ConvolutionWeights& out) {
  const auto filters = out.biases.size();
  if (!reader.read(out.biases)) return false;
  std::vector<float> scales;
  std::vector<float> means;
  std::vector<float> variances;
  if (convolution.batch_normalize) {
    scales.resize(filters);
    means.resize(filters);
    variances.resize(filters);
    if (!reader.read(scales) || !reader.read(means) || !reader.read(variances)) return false;
  }
  if (!reader.read(out.weights)) return false;
  if (!convolution.batch_normalize) return true;

  const auto per_filter = out.weights.size() / filters;
  for (std::size_t f = 0; f < filters; ++f) {
    const double factor = scales[f] / std::sqrt(static_cast<double>(variances[f]) + 1e-5);
    out.biases[f] = static_cast<float>(out.biases[f] - means[f] * factor);
    for (std::size_t i = f * per_filter; i < (f + 1) * per_filter; ++i) {
      out.weights[i] = static_cast<float>(out.weights[i] * factor);
    }
  }
  return true;
}

}  // namespace

std::int64_t weight_count(const Network& network) {
  std::int64_t count = 0;
  for (const auto& layer : network.layers) count += weight_count(layer);
  return count;
}

Outcome<Weights> read_weights(const std::filesystem::path& file, const Network& network) {
  const auto name = file.string();
  std::error_code status;
  const auto type = std::filesystem::status(file, status).type();
  if (type == std::filesystem::file_type::not_found) return bad_model(name + ": no such file");
  if (status) return bad_model(name + ": " + status.message());
  if (type != std::filesystem::file_type::regular) return bad_model(name + ": not a regular file");
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(file, status));
  if (status) return bad_model(name + ": " + status.message());

  Reader reader(file);
  std::array<std::int32_t, 3> version{};
  if (!reader.read(version.data(), version.size())) {
    return bad_model(name + ": " + std::to_string(size) + " bytes, too short for a weights file, or not readable");
  }
  if (std::memcmp(version.data(), "PK\x03\x04", 4) == 0) {
    return bad_model(name + ": a PyTorch checkpoint, which is not supported; Darknet .weights are");
  }
  const auto [major, minor, revision] = version;
  if (major < 0 || minor < 0 || major >= 1000 || minor >= 1000) {
    return bad_model(name + ": version " + std::to_string(major) + "." + std::to_string(minor) + "." +
                     std::to_string(revision) + " in its header: not a Darknet weights file");
  }
  const std::int64_t seen_bytes = major * 10 + minor >= 2 ? 8 : 4;
  const std::int64_t needed = 12 + seen_bytes + 4 * weight_count(network);
  if (size != needed) {
    const auto difference = std::to_string(size < needed ? needed - size : size - needed);
    return bad_model(name + ": " + std::to_string(size) + " bytes, " + network.source_name + " needs " +
                     std::to_string(needed) + ": " + difference + (size < needed ? " too few" : " too many"));
  }
  std::array<char, 8> seen{};
  if (!reader.read(seen.data(), static_cast<std::size_t>(seen_bytes))) return bad_model(name + ": cannot be read");

  Weights weights;
  try {
    weights.layers.resize(network.layers.size());
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      const auto& layer = network.layers[i];
      const auto* convolution = std::get_if<Convolutional>(&layer.kind);
      if (convolution == nullptr) continue;
      auto& out = weights.layers[i];
      out.biases.resize(static_cast<std::size_t>(convolution->filters));
      out.weights.resize(static_cast<std::size_t>(kernel_count(layer, *convolution)));
      if (!read_convolution(reader, *convolution, out)) {
        return bad_model(name + ": ended or failed while layer " + std::to_string(i) + " was read");
      }
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
