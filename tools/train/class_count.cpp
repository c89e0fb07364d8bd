#include "tools/train/class_count.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "model/darknet/cfg.hpp"

namespace yolod::train {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;
using model::darknet::Cfg;
using model::darknet::CfgSection;

constexpr int kMaxAnchors = 256;

bool is_head(const CfgSection& section) {
  return section.type == "yolo" || section.type == "Gaussian_yolo" || section.type == "region";
}

bool is_convolution(const CfgSection& section) { return section.type == "convolutional" || section.type == "conv"; }

// Returns the number of anchors that a head has at each cell.
Outcome<int> anchor_count(const Cfg& cfg, const CfgSection& head) {
  model::darknet::OptionReader options(cfg, head);
  const auto mask = options.integers("mask", kMaxAnchors, 0, kMaxAnchors);
  const int num = options.integer("num", 1, 1, kMaxAnchors);
  if (options.error()) return *options.error();
  return mask.empty() ? num : static_cast<int>(mask.size());
}

// The changes of the text, by line number.
struct Edits {
  std::map<std::size_t, std::string> replaced;
  std::map<std::size_t, std::string> added_after;

  void set(const CfgSection& section, std::string_view key, int value) {
    const auto line = std::string(key) + "=" + std::to_string(value);
    const auto option = std::find_if(section.options.begin(), section.options.end(),
                                     [key](const auto& entry) { return entry.key == key; });
    if (option != section.options.end()) {
      replaced[option->line] = line;
    } else {
      added_after[section.line] = line;
    }
  }
};

std::string applied(const std::string& text, const Edits& edits) {
  std::istringstream lines(text);
  std::string result;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const auto replacement = edits.replaced.find(number);
    result += (replacement == edits.replaced.end() ? line : replacement->second) + "\n";
    if (const auto added = edits.added_after.find(number); added != edits.added_after.end())
      result += added->second + "\n";
  }
  return result;
}

}  // namespace

Outcome<std::string> with_class_count(const std::string& text, const std::string& source_name, int classes) {
  const auto cfg = model::darknet::parse_cfg(text, source_name);
  if (!cfg) return cfg.error();
  Edits edits;
  for (std::size_t i = 1; i < cfg->sections.size(); ++i) {
    const auto& head = cfg->sections[i];
    if (!is_head(head)) continue;
    const auto& before = cfg->sections[i - 1];
    if (!is_convolution(before)) {
      return Error{ErrorCode::kBadModel, source_name + ":" + std::to_string(head.line) + ": [" + head.type +
                                             "]: a convolution must come before it to change the number of classes"};
    }
    const auto anchors = anchor_count(*cfg, head);
    if (!anchors) return anchors.error();
    edits.set(head, "classes", classes);
    edits.set(before, "filters", *anchors * (classes + (head.type == "Gaussian_yolo" ? 9 : 5)));
  }
  return applied(text, edits);
}

}  // namespace yolod::train
