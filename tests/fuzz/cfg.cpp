// Tests cfg texts: they are parsed, built into a network, and, if it is small, compiled with weights of zeros.
#include "model/darknet/cfg.hpp"

#include <optional>
#include <string>

#include "model/darknet/compiler.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(cfg) {
  const auto cfg = model::darknet::parse_cfg(fuzz::as_text(data, size), "a.cfg");
  if (!cfg) {
    fuzz::require_one_line(cfg.error(), common::ErrorCode::kBadModel);
    return 0;
  }
  const auto network = model::darknet::build_network(*cfg, std::nullopt);
  if (!network) {
    fuzz::require_one_line(network.error(), common::ErrorCode::kBadModel);
    return 0;
  }
  // The target skips a cfg that only a checkpoint can fill.
  if (network.value().rules != model::darknet::Rules::kDarknet) return 0;
  constexpr std::int64_t kSmall = 20'000;
  const auto weight_count = model::darknet::weight_count(*network);
  if (weight_count > kSmall || model::darknet::candidate_count(*network) > kSmall) return 0;
  std::string zeros(static_cast<std::size_t>(20 + 4 * weight_count), '\0');
  zeros[4] = 2;  // version 0.2
  auto weights = model::darknet::read_weights(fuzz::as_file(zeros), *network);
  fuzz::require(weights.ok());
  const auto compiled = model::darknet::compile(*network, std::move(weights).value());
  fuzz::require(compiled.source.starts_with("def forward"));
  return 0;
}
