// The keys that Darknet and Ultralytics' yolov3 know in each section of a cfg, those for training among them: what is
// none of these is most likely misspelled.
#pragma once

#include <string>
#include <vector>

#include "model/darknet/cfg.hpp"

namespace yolod::model::darknet {

// A sentence, `source:line: [section]: what`, for each key of `section` that no program knows there, with the nearest
// that is known. None for a section that is itself not known. At most kMaxCfgWarnings.
[[nodiscard]] std::vector<std::string> unknown_keys(const Cfg& cfg, const CfgSection& section);

}  // namespace yolod::model::darknet
