#include "tools/scenes/scene_files.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <opencv2/core.hpp>
#include <vector>

#include "common/system/unfinished_file.hpp"
#include "model/image/codec/encode.hpp"

namespace yolod::scenes {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr int kJpegQuality = 94;

Outcome<void> write_file(const std::filesystem::path& path, const void* bytes, std::size_t count) {
  common::UnfinishedFile file(path);
  file.write(bytes, count);
  return file.finish();
}

}  // namespace

std::string label_text(const Scene& scene) {
  std::string text;
  const auto width = static_cast<double>(scene.picture.cols);
  const auto height = static_cast<double>(scene.picture.rows);
  for (const auto& [light, box, visible] : scene.lights) {
    std::array<char, 96> line{};
    std::snprintf(line.data(), line.size(), "%d %.6f %.6f %.6f %.6f\n", static_cast<int>(light),
                  (box.x + box.width / 2) / width, (box.y + box.height / 2) / height, box.width / width,
                  box.height / height);
    text += line.data();
  }
  return text;
}

Outcome<void> write_scene(const Scene& scene, const std::filesystem::path& folder, const std::string& name) {
  const auto& pixels = scene.picture;
  const auto picture = model::image::encode({pixels.data, pixels.cols, pixels.rows, pixels.step[0]},
                                            common::FileType::kJpeg, kJpegQuality);
  if (!picture) return Error{ErrorCode::kSystem, name + ": " + picture.error().message};
  const auto labels = label_text(scene);
  if (auto written = write_file(folder / (name + ".txt"), labels.data(), labels.size()); !written) return written;
  return write_file(folder / (name + ".jpg"), picture->data(), picture->size());
}

Outcome<void> write_names(const std::filesystem::path& folder) {
  std::string names;
  for (const auto name : kLightNames) names.append(name).append("\n");
  return write_file(folder / "demo.names", names.data(), names.size());
}

}  // namespace yolod::scenes
