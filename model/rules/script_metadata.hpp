// Reads and writes the metadata of a TorchScript file: the extra file `config.txt`, JSON, as Ultralytics' exporters
// write it. YOLOv5 writes {"shape": [n, 3, h, w], "stride", "names": [..]}; YOLOv8 and later write {"task", "imgsz":
// [h, w], "stride", "batch", "names": {"0": ..}, "end2end"}. `yolodctl export` writes the same, and under the key
// "yolod" all other rules that are needed to reproduce its answers. None of these keys is optional:
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

// The name of the extra file.
inline constexpr std::string_view kMetadataFile = "config.txt";

struct Metadata {
  std::optional<common::Task> task;
  std::optional<common::InputSize> input_size;
  std::optional<std::int64_t> stride;
  std::vector<std::string> names;  // by class; empty if there are no names
  bool end_to_end{false};          // the output is [n, k, 6], after suppression
  std::optional<PictureRules> rules;
};

// Any text is safe to pass; an empty text (of a file without metadata) gives empty metadata. Bytes that are not UTF-8
// become U+FFFD, and a byte order mark is skipped. Values that are missing or of an unexpected kind are omitted. Text
// that is not JSON, and a task that is not served ("segment"), are an Error (kBadModel). Every fault under "yolod" is
// an Error too, because only yolod writes that key.
[[nodiscard]] common::Outcome<Metadata> parse_metadata(std::string_view text);

// The exported network and the facts about it.
struct ExportedNetwork {
  std::string name;
  const CompiledNetwork& network;
  int stride{1};                           // as in CompiledModel
  const std::vector<std::string>& labels;  // by class; may be empty
  PictureRules rules;
};

// The metadata's words for the values of `rules`.
struct RuleWords {
  std::string_view resize;
  std::string_view sampling;
  std::string_view layout;
  std::string_view coordinates;
  std::string_view nms;
};

[[nodiscard]] RuleWords words_of(const PictureRules& rules);

// Returns the text that parse_metadata() reads.
[[nodiscard]] std::string write_metadata(const ExportedNetwork& exported);

}  // namespace yolod::model::torchscript
