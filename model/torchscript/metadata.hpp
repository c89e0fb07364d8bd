// What the program that wrote a TorchScript file left in it about the network: the extra file `config.txt`, JSON, as
// Ultralytics' exporters write it (YOLOv5: {"shape": [n, 3, h, w], "stride", "names": [..]}; YOLOv8 and later: {"task",
// "imgsz": [h, w], "stride", "batch", "names": {"0": ..}, "end2end"}), and `yolodctl export` too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config.hpp"
#include "common/outcome.hpp"

namespace yolod::model::torchscript {

// The extra file's name.
inline constexpr std::string_view kMetadataFile = "config.txt";

struct Metadata {
  std::optional<common::Task> task;
  std::optional<common::InputSize> input_size;
  std::vector<std::string> names;  // by class; empty where none are given
  bool end_to_end{false};          // its output is [n, k, 6], after suppression
};

// Any text is safe to pass; an empty one, of a file without metadata, has nothing in it. What is not there, or not of
// the expected kind, is left out; text that is no JSON, and a task that is not served ("segment"), are an Error
// (kBadModel).
[[nodiscard]] common::Outcome<Metadata> parse_metadata(std::string_view text);

}  // namespace yolod::model::torchscript
