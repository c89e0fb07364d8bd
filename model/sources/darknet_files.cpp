#include "model/sources/darknet_files.hpp"

#include <string>
#include <utility>

#include "model/bad_model.hpp"
#include "model/checkpoint/checkpoint.hpp"
#include "model/checkpoint/network_weights.hpp"
#include "model/checkpoint/to_darknet.hpp"
#include "model/darknet/write_weights.hpp"
#include "model/files/read_file.hpp"
#include "model/sources/file_kind.hpp"

namespace yolod::model {
namespace {

using common::Outcome;
using darknet::Rules;

Outcome<darknet::Cfg> read_cfg(const std::filesystem::path& file) {
  if (auto good = check_kind(file, Wanted::kCfg); !good) return good.error();
  const auto text = read_text(file, darknet::kMaxCfgBytes);
  if (!text) return text.error();
  return darknet::parse_cfg(*text, file.string());
}

// The weights converted to Darknet's rules, and the network built by those rules.
struct ForDarknet {
  darknet::Network network;
  darknet::StoredWeights weights;
};

Outcome<ForDarknet> read_for_darknet(const common::DarknetSource& source,
                                     const std::optional<common::InputSize>& input_size) {
  const auto cfg = read_cfg(source.cfg);
  if (!cfg) return cfg.error();
  if (auto good = check_kind(source.weights, Wanted::kWeights); !good) return good.error();
  auto network = darknet::build_network(*cfg, input_size, Rules::kDarknet);
  if (!network) return std::move(network).error();
  if (!has_checkpoint(source)) {
    auto weights = darknet::read_stored_weights(source.weights, *network);
    if (!weights) return std::move(weights).error();
    return ForDarknet{std::move(network).value(), std::move(weights).value()};
  }
  auto opened = checkpoint::Checkpoint::open(source.weights);
  if (!opened) return std::move(opened).error();
  const auto theirs = darknet::build_network(*cfg, input_size, Rules::kUltralytics);
  if (!theirs) return theirs.error();
  auto stored = checkpoint::read_stored_weights(*opened, *theirs);
  if (!stored) return std::move(stored).error();
  auto weights = checkpoint::to_darknet(*theirs, *network, std::move(stored).value());
  if (!weights) return std::move(weights).error();
  return ForDarknet{std::move(network).value(), std::move(weights).value()};
}

}  // namespace

bool has_checkpoint(const common::DarknetSource& source) { return checkpoint::is_checkpoint(source.weights); }

Outcome<darknet::Network> read_network(const common::DarknetSource& source,
                                       const std::optional<common::InputSize>& input_size) {
  const auto cfg = read_cfg(source.cfg);
  if (!cfg) return cfg.error();
  // Check the weights before the network, because their kind decides whose rules apply to the cfg.
  if (auto good = check_kind(source.weights, Wanted::kWeights); !good) return good.error();
  return darknet::build_network(*cfg, input_size, has_checkpoint(source) ? Rules::kUltralytics : Rules::kDarknet);
}

Outcome<darknet::Weights> read_weights(const common::DarknetSource& source, const darknet::Network& network) {
  if (!has_checkpoint(source)) return darknet::read_weights(source.weights, network);
  auto checkpoint = checkpoint::Checkpoint::open(source.weights);
  if (!checkpoint) return std::move(checkpoint).error();
  return checkpoint::read_weights(*checkpoint, network);
}

Outcome<void> export_weights(const common::DarknetSource& source, const std::optional<common::InputSize>& input_size,
                             const std::filesystem::path& file) {
  auto read = read_for_darknet(source, input_size);
  if (!read) return std::move(read).error();
  const auto& network = read->network;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto folded = darknet::fold(network.layers[i], read->weights.layers[i], darknet::kBatchNormEpsilon);
    if (const auto problem = darknet::not_finite(network, i, folded); !problem.empty())
      return bad_model(source.weights.string() + ": " + problem);
  }
  return darknet::write_weights(file, network, std::move(read->weights));
}

}  // namespace yolod::model
