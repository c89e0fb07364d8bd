// What the program that wrote a TorchScript file left in it about the network: the extra file `config.txt`, JSON, as
// Ultralytics' exporters write it (YOLOv5: {"shape": [n, 3, h, w], "stride", "names": [..]}; YOLOv8 and later: {"task",
// "imgsz": [h, w], "stride", "batch", "names": {"0": ..}, "end2end"}). `yolodctl export` writes the same, and under the
// key "yolod", of which nothing is optional, what else is to be known for its detections to come out again:
//   of a detector    "layout", "coordinates", "multi_label", "nms", "beta_nms"
//   of a classifier  "logits"
//   of both          "resize", "sampling", "grey"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/task.hpp"
#include "common/outcome.hpp"
#include "model/compiled_network.hpp"
#include "model/rules/picture_rules.hpp"

namespace yolod::model::torchscript {

// The extra file's name.
inline constexpr std::string_view kMetadataFile = "config.txt";

struct Metadata {
  std::optional<common::Task> task;
  std::optional<common::InputSize> input_size;
  std::optional<std::int64_t> stride;
  std::vector<std::string> names;  // by class; empty where none are given
  bool end_to_end{false};          // its output is [n, k, 6], after suppression
  std::optional<PictureRules> rules;
};

// Any text is safe to pass; an empty one, of a file without metadata, has nothing in it. Bytes that are not UTF-8
// become U+FFFD, and a byte order mark is passed over. What is not there, or not of the expected kind, is left out;
// text that is no JSON, and a task that is not served ("segment"), are an Error (kBadModel). So is all that is wrong
// under "yolod": only this program writes that.
[[nodiscard]] common::Outcome<Metadata> parse_metadata(std::string_view text);

// What is exported, and what is to be said of it.
struct ExportedNetwork {
  std::string name;
  const CompiledNetwork& network;
  int stride{1};                           // as CompiledModel has it
  const std::vector<std::string>& labels;  // by class; may be empty
  PictureRules rules;
};

// The words of the metadata for what `rules` say.
struct RuleWords {
  std::string_view resize;
  std::string_view sampling;
  std::string_view layout;
  std::string_view coordinates;
  std::string_view nms;
};

[[nodiscard]] RuleWords words_of(const PictureRules& rules);

// The text that parse_metadata() reads.
[[nodiscard]] std::string write_metadata(const ExportedNetwork& exported);

}  // namespace yolod::model::torchscript
