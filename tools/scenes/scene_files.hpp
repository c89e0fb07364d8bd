// Scenes as files: a picture and what `yolodctl eval` reads beside it.
#pragma once

#include <filesystem>
#include <string>

#include "common/outcome.hpp"
#include "tools/scenes/scene.hpp"

namespace yolod::scenes {

// A line for each light, `class cx cy w h`, the box as fractions of the picture: model/eval/yolo_labels.hpp reads it.
[[nodiscard]] std::string label_text(const Scene& scene);

// Writes NAME.txt and then NAME.jpg into the folder, which must be there: a picture without labels would count as one
// without lights. kSystem where one cannot be written. Any thread.
[[nodiscard]] common::Outcome<void> write_scene(const Scene& scene, const std::filesystem::path& folder,
                                                const std::string& name);

// The classes' names, one a line, as demo.names. Errors as above.
[[nodiscard]] common::Outcome<void> write_names(const std::filesystem::path& folder);

}  // namespace yolod::scenes
