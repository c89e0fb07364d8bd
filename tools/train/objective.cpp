#include "tools/train/objective.hpp"

#include "model/darknet/cfg.hpp"

namespace yolod::train {
namespace {

using model::darknet::OptionReader;

constexpr float kDarknetIgnoreIou = 0.5F;

Objective objective_of_yolo(OptionReader& options) {
  return {options.number("iou_thresh", 1, 0, 1), options.number("ignore_thresh", kDarknetIgnoreIou, 0, 1), 0};
}

Objective objective_of_region(OptionReader& options) {
  return {1, options.number("thresh", kDarknetIgnoreIou, 0, 1), options.flag("rescore", false) ? 1.0 : 0.0};
}

}  // namespace

common::Outcome<std::vector<Objective>> darknet_objectives(const std::string& cfg_text,
                                                           const std::string& source_name) {
  const auto cfg = model::darknet::parse_cfg(cfg_text, source_name);
  if (!cfg) return cfg.error();
  std::vector<Objective> objectives;
  for (const auto& section : cfg->sections) {
    OptionReader options(*cfg, section);
    if (section.type == "region") objectives.push_back(objective_of_region(options));
    if (section.type == "yolo" || section.type == "Gaussian_yolo") objectives.push_back(objective_of_yolo(options));
    if (options.error()) return *options.error();
  }
  return objectives;
}

}  // namespace yolod::train
