// Writes scenes as files: a picture, and the labels that `yolodctl eval` reads.
#pragma once

#include <filesystem>
#include <string>

#include "common/outcome.hpp"
#include "tools/scenes/scene.hpp"

namespace yolod::scenes {

// Returns a line for each light, `class cx cy w h`, with the box as fractions of the picture;
// model/eval/yolo_labels.hpp reads it.
[[nodiscard]] std::string label_text(const Scene& scene);

// Writes NAME.txt and then NAME.jpg into the folder, which must exist. The labels come first, because a picture
// without labels would count as a picture without lights. Returns kSystem if a file cannot be written. Any thread may
// call it.
[[nodiscard]] common::Outcome<void> write_scene(const Scene& scene, const std::filesystem::path& folder,
                                                const std::string& name);

// Writes the class names as demo.names, one per line. Errors are as above.
[[nodiscard]] common::Outcome<void> write_names(const std::filesystem::path& folder);

}  // namespace yolod::scenes
