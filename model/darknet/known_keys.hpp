// The keys that Darknet and Ultralytics' yolov3 know in each section of a cfg, including keys for training. Another
// key is probably misspelled.
#pragma once

#include <string>
#include <vector>

#include "model/darknet/cfg.hpp"

namespace yolod::model::darknet {

// Returns a sentence, `source:line: [section]: what`, for each key of `section` that no program knows there, with the
// nearest known key. Returns none for an unknown section. Returns at most kMaxCfgWarnings.
[[nodiscard]] std::vector<std::string> unknown_keys(const Cfg& cfg, const CfgSection& section);

}  // namespace yolod::model::darknet
