#include "tools/train/start_weights.hpp"

#include <cmath>
#include <optional>
#include <random>
#include <system_error>
#include <utility>
#include <variant>

#include "model/darknet/cfg.hpp"
#include "tools/train/class_count.hpp"
#include "tools/train/head_grid.hpp"

namespace yolod::train {
namespace {

using namespace model::darknet;
using common::Error;
using common::ErrorCode;
using common::Outcome;

float prior_bias(double probability) { return static_cast<float>(-std::log((1 - probability) / probability)); }

std::vector<float> head_biases(const Yolo& yolo) {
  constexpr double kObjectPrior = 0.01;
  const auto row = static_cast<std::size_t>(yolo.row_length());
  std::vector<float> biases(yolo.anchors.size() * row, 0);
  for (std::size_t a = 0; a < yolo.anchors.size(); ++a) {
    const auto objectness = a * row + (yolo.gaussian ? 8 : 4);
    biases[objectness] = prior_bias(kObjectPrior);
    if (yolo.classes < 2) continue;
    for (std::size_t c = 1; c <= static_cast<std::size_t>(yolo.classes); ++c)
      biases[objectness + c] = prior_bias(1.0 / yolo.classes);
  }
  return biases;
}

// Returns the head that reads this layer's map as its logits, or null.
const Yolo* head_after(const Network& network, std::size_t index) {
  if (index + 1 >= network.layers.size()) return nullptr;
  return std::get_if<Yolo>(&network.layers[index + 1].kind);
}

void set_random(std::vector<float>& values, double deviation, std::mt19937_64& random) {
  std::normal_distribution<float> normal(0, static_cast<float>(deviation));
  for (auto& value : values) value = normal(random);
}

StoredLayer fresh_layer(const Network& network, std::size_t index, std::mt19937_64& random) {
  constexpr double kLeakyGain = 2 / (1 + 0.1 * 0.1);
  constexpr double kHeadSpread = 0.01;
  const auto& layer = network.layers[index];
  auto values = empty_values(layer);
  if (values.normalization) {
    values.normalization->scales.assign(values.normalization->scales.size(), 1);
    values.normalization->variances.assign(values.normalization->variances.size(), 1);
  }
  if (values.weights.empty()) return values;
  if (std::holds_alternative<Shortcut>(layer.kind)) {
    values.weights.assign(values.weights.size(), 1);
    return values;
  }
  const auto* head = head_after(network, index);
  if (head != nullptr && std::holds_alternative<Convolutional>(layer.kind)) {
    set_random(values.weights, kHeadSpread, random);
    values.biases = head_biases(*head);
    return values;
  }
  const auto inputs = static_cast<double>(values.weights.size()) / static_cast<double>(values.biases.size());
  set_random(values.weights, std::sqrt(kLeakyGain / inputs), random);
  return values;
}

bool fits(const StoredLayer& from, const StoredLayer& to) {
  const auto normalizations = [](const StoredLayer& layer) {
    return layer.normalization ? layer.normalization->scales.size() : 0;
  };
  return from.biases.size() == to.biases.size() && from.weights.size() == to.weights.size() &&
         normalizations(from) == normalizations(to);
}

std::optional<Network> network_of(const std::string& cfg_text, const Network& network) {
  const auto cfg = parse_cfg(cfg_text, network.source_name);
  if (!cfg) return std::nullopt;
  auto built = build_network(*cfg, std::nullopt);
  if (!built) return std::nullopt;
  return std::move(built).value();
}

std::optional<Network> with_classes(const std::string& cfg_text, const Network& network, std::int64_t classes) {
  constexpr std::int64_t kMaxClasses = 100'000;
  if (classes < 1 || classes > kMaxClasses) return std::nullopt;
  const auto text = with_class_count(cfg_text, network.source_name, static_cast<int>(classes));
  return text ? network_of(*text, network) : std::nullopt;
}

// Finds the number of classes with which a weights file of `cfg_text` has `file_bytes` bytes, and returns the network
// with that number of classes. Returns nothing if no number fits. The size of the file grows linearly with the number
// of classes, so the sizes for one class and for two classes give the size for every number.
std::optional<Network> network_of_size(const std::string& cfg_text, const Network& network, std::int64_t file_bytes) {
  constexpr std::int64_t kLongHeader = 20;
  constexpr std::int64_t kShortHeader = 16;
  const auto one = with_classes(cfg_text, network, 1);
  const auto two = with_classes(cfg_text, network, 2);
  if (!one || !two) return std::nullopt;
  const auto first = 4 * weight_count(*one);
  const auto each = 4 * weight_count(*two) - first;
  if (each <= 0) return std::nullopt;
  for (const auto header : {kLongHeader, kShortHeader}) {
    const auto more = file_bytes - header - first;
    if (more >= 0 && more % each == 0) return with_classes(cfg_text, network, 1 + more / each);
  }
  return std::nullopt;
}

Outcome<StoredWeights> read_any(const std::filesystem::path& file, const std::string& cfg_text,
                                const Network& network) {
  if (auto same = read_stored_weights(file, network)) return same;
  std::error_code failed;
  const auto size = std::filesystem::file_size(file, failed);
  if (!failed) {
    if (const auto other = network_of_size(cfg_text, network, static_cast<std::int64_t>(size))) {
      if (auto read = read_stored_weights(file, *other)) return read;
    }
  }
  return read_first_weights(file, network);
}

}  // namespace

StoredWeights fresh_weights(const Network& network, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  StoredWeights weights;
  for (std::size_t i = 0; i < network.layers.size(); ++i) weights.layers.push_back(fresh_layer(network, i, random));
  return weights;
}

Outcome<StartWeights> read_start_weights(const std::filesystem::path& file, const std::string& cfg_text,
                                         const Network& network, std::uint64_t seed) {
  auto read = read_any(file, cfg_text, network);
  if (!read) return std::move(read).error();
  StartWeights start;
  start.weights = fresh_weights(network, seed);
  start.weights.seen = read->seen;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (weight_count(network.layers[i]) == 0) continue;
    if (i < read->layers.size() && fits(read->layers[i], start.weights.layers[i])) {
      start.weights.layers[i] = std::move(read->layers[i]);
      ++start.taken;
    } else {
      start.fresh.push_back(i);
    }
  }
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto run = fold(network.layers[i], start.weights.layers[i], kBatchNormEpsilon);
    if (const auto problem = not_finite(network, i, run); !problem.empty())
      return Error{ErrorCode::kBadModel, file.string() + ": " + problem};
  }
  if (start.taken == 0)
    return Error{ErrorCode::kBadModel, file.string() + ": the file has no weights that fit a layer of the network"};
  return start;
}

std::string text_of(const StartWeights& start, const Network& network) {
  constexpr std::size_t kMost = 12;
  auto text = std::to_string(start.taken) + (start.taken == 1 ? " layer takes its weights from the file"
                                                              : " layers take their weights from the file");
  if (start.fresh.empty()) return text;
  text += "; " + std::to_string(start.fresh.size()) +
          (start.fresh.size() == 1 ? " layer starts with new weights: " : " layers start with new weights: ");
  for (std::size_t i = 0; i < start.fresh.size() && i < kMost; ++i) {
    const auto index = start.fresh[i];
    text += (i == 0 ? "" : ", ") + std::string("layer ") + std::to_string(index) + " ([" +
            network.layers[index].section + "], line " + std::to_string(network.layers[index].line) + ")";
  }
  return start.fresh.size() > kMost ? text + ", ..." : text;
}

}  // namespace yolod::train
