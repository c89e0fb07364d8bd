// PictureSource takes samples from the user's own pictures: files with YOLO-format labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "common/outcome.hpp"
#include "model/eval/average_precision.hpp"
#include "model/image/placement.hpp"
#include "tools/train/sample_source.hpp"

namespace yolod::train {

struct PictureFile {
  std::filesystem::path file;
  std::vector<model::eval::Truth> truths;  // boxes as fractions of the picture
};

struct PictureFolder {
  std::vector<PictureFile> pictures;  // sorted by name
  std::size_t unlabelled{0};          // pictures without a label file; they count as pictures without objects
};

// Reads all labels, but no picture. Returns kInvalidParameter if a folder cannot be read or has no picture, if no
// picture has a label file, or if label files have mistakes. The message then gives the file and line of the first
// mistake, and the number of files with mistakes.
[[nodiscard]] common::Outcome<PictureFolder> read_picture_folder(const std::filesystem::path& images,
                                                                 const std::filesystem::path& labels,
                                                                 std::size_t class_count);

// Moves a share of `pictures` (0 to 1, rounded to a number of pictures) into the result. The choice depends only on
// their names and the seed, so a picture that is added later moves few others. REQUIRES: at least two pictures. Both
// lists get at least one picture, and stay sorted by name.
[[nodiscard]] std::vector<PictureFile> hold_out(std::vector<PictureFile>& pictures, double share, std::uint64_t seed);

// Decodes a file as the server does. Returns kInvalidImage or another error of model/image/codec/decode.hpp. The
// message names the file.
[[nodiscard]] common::Outcome<LabelledPicture> load_picture(const PictureFile& file, model::image::Size needed);

class PictureSource final : public SampleSource {
 public:
  // Keeps decoded pictures in memory until they take `cache_bytes`, and decodes the others at each use. REQUIRES:
  // `pictures` is not empty.
  PictureSource(std::vector<PictureFile> pictures, model::image::Size input,
                std::uint64_t cache_bytes = std::uint64_t{1} << 30U);

  void begin(std::uint64_t /*step*/) override {}
  [[nodiscard]] std::shared_ptr<const LabelledPicture> choose(std::uint64_t step, RandomStream& random) override;

  [[nodiscard]] const std::vector<PictureFile>& pictures() const { return pictures_; }

 private:
  const std::vector<PictureFile> pictures_;
  const model::image::Size input_;
  const std::uint64_t cache_bytes_;
  std::mutex mutex_;
  std::uint64_t cached_bytes_{0};                               // guarded by mutex_
  std::vector<std::shared_ptr<const LabelledPicture>> cached_;  // guarded by mutex_; by index
};

}  // namespace yolod::train
