#include "tools/train/picture_source.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "model/eval/labelled_folder.hpp"
#include "model/eval/yolo_labels.hpp"
#include "model/files/read_file.hpp"
#include "model/image/codec/decode.hpp"
#include "tools/scenes/split_mix64.hpp"

namespace yolod::train {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::size_t kMaxPictureBytes = std::size_t{1} << 30U;

// Hashes the name with FNV-1a and mixes in the seed, so that the rank does not depend on the order of names.
std::uint64_t rank_of(const std::filesystem::path& file, std::uint64_t seed) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : file.filename().string()) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return scenes::SplitMix64::scrambled(hash + scenes::SplitMix64::scrambled(seed));
}

Outcome<std::vector<model::eval::Truth>> truths_in(const std::filesystem::path& labels, std::size_t class_count) {
  const auto text = model::read_text(labels, model::eval::kMaxLabelFileBytes);
  if (!text) return text.error();
  return model::eval::parse_yolo_labels(*text, class_count, labels.string());
}

// Training shows no picture at more than one and a half times the size at which the server shows it to the network.
cv::Mat shrunk(const cv::Mat& picture, model::image::Size input) {
  constexpr double kEnough = 2;
  const double scale = std::max(kEnough * input.width / picture.cols, kEnough * input.height / picture.rows);
  if (scale >= 1) return picture.clone();
  cv::Mat small;
  cv::resize(picture, small, {}, scale, scale, cv::INTER_AREA);
  return small;
}

std::vector<LabelledObject> objects_in(const PictureFile& file, cv::Size size) {
  std::vector<LabelledObject> objects;
  const cv::Rect2f whole(0, 0, static_cast<float>(size.width), static_cast<float>(size.height));
  for (const auto& truth : file.truths) {
    const auto box = cv::Rect2f({truth.box.x_min * whole.width, truth.box.y_min * whole.height},
                                cv::Point2f(truth.box.x_max * whole.width, truth.box.y_max * whole.height)) &
                     whole;
    if (box.area() > 0) objects.push_back({truth.class_id, box, 1});
  }
  return objects;
}

}  // namespace

Outcome<PictureFolder> read_picture_folder(const std::filesystem::path& images, const std::filesystem::path& labels,
                                           std::size_t class_count) {
  auto files = model::eval::pictures_in(images);
  if (!files) return std::move(files).error();
  PictureFolder folder;
  std::optional<Error> first;
  std::size_t faulty = 0;
  for (auto& file : *files) {
    PictureFile picture{std::move(file), {}};
    const auto label_file = model::eval::label_file_of(picture.file, labels);
    std::error_code ignored;
    if (!std::filesystem::exists(label_file, ignored)) {
      ++folder.unlabelled;
    } else if (auto truths = truths_in(label_file, class_count)) {
      picture.truths = std::move(*truths);
    } else {
      ++faulty;
      if (!first) first = std::move(truths).error();
    }
    folder.pictures.push_back(std::move(picture));
  }
  if (first) {
    auto message = first->message;
    if (faulty > 1) message += " (" + std::to_string(faulty) + " label files have mistakes)";
    return Error{ErrorCode::kInvalidParameter, message + "; `yolodctl label-check` lists all mistakes"};
  }
  if (folder.unlabelled == folder.pictures.size())
    return Error{ErrorCode::kInvalidParameter, labels.string() + ": no label file for any picture"};
  return folder;
}

std::vector<PictureFile> hold_out(std::vector<PictureFile>& pictures, double share, std::uint64_t seed) {
  const auto count = static_cast<double>(pictures.size());
  const auto held = static_cast<std::ptrdiff_t>(std::clamp(std::round(share * count), 1.0, count - 1));
  std::sort(pictures.begin(), pictures.end(), [seed](const PictureFile& a, const PictureFile& b) {
    return rank_of(a.file, seed) < rank_of(b.file, seed);
  });
  std::vector<PictureFile> out(std::make_move_iterator(pictures.begin()),
                               std::make_move_iterator(pictures.begin() + held));
  pictures.erase(pictures.begin(), pictures.begin() + held);
  const auto by_name = [](const PictureFile& a, const PictureFile& b) { return a.file < b.file; };
  std::sort(out.begin(), out.end(), by_name);
  std::sort(pictures.begin(), pictures.end(), by_name);
  return out;
}

Outcome<LabelledPicture> load_picture(const PictureFile& file, model::image::Size needed) {
  const auto bytes = model::read_file(file.file, kMaxPictureBytes);
  if (!bytes) return bytes.error();
  const auto picture = model::image::decode(std::as_bytes(std::span<const char>(*bytes)), {}, needed);
  if (!picture) return Error{picture.error().code, file.file.string() + ": " + picture.error().message};
  const auto view = picture->view();
  // cv::Mat takes a mutable pointer, but nothing writes through it.
  const cv::Mat pixels(view.height, view.width, CV_8UC3, const_cast<std::uint8_t*>(view.bgr), view.stride_bytes);
  LabelledPicture result{pixels.clone(), {}};
  result.objects = objects_in(file, result.picture.size());
  return result;
}

PictureSource::PictureSource(std::vector<PictureFile> pictures, model::image::Size input, std::uint64_t cache_bytes)
    : pictures_(std::move(pictures)), input_(input), cache_bytes_(cache_bytes), cached_(pictures_.size()) {}

std::shared_ptr<const LabelledPicture> PictureSource::choose(std::uint64_t /*step*/, RandomStream& random) {
  const auto index = static_cast<std::size_t>(random.below(pictures_.size()));
  {
    const std::lock_guard lock(mutex_);
    if (cached_[index]) return cached_[index];
  }
  // Two threads may decode the same picture at once. Then the cache keeps one of the two.
  const auto loaded = load_picture(pictures_[index], {2 * input_.width, 2 * input_.height});
  if (!loaded) throw std::runtime_error(loaded.error().message);
  auto picture = std::make_shared<LabelledPicture>();
  picture->picture = shrunk(loaded->picture, input_);
  picture->objects = objects_in(pictures_[index], picture->picture.size());
  const auto bytes = picture->picture.total() * picture->picture.elemSize();
  const std::lock_guard lock(mutex_);
  if (!cached_[index] && cached_bytes_ + bytes <= cache_bytes_) {
    cached_[index] = picture;
    cached_bytes_ += bytes;
  }
  return picture;
}

}  // namespace yolod::train
