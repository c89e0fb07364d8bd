#include "tools/train/validation.hpp"

#include <algorithm>
#include <boost/asio/packaged_task.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <span>
#include <utility>

#include "model/compiled/torch_network.hpp"
#include "model/darknet/compiler.hpp"
#include "model/eval/judged_detections.hpp"
#include "model/heads/candidates.hpp"
#include "model/heads/detections.hpp"
#include "model/heads/nms.hpp"
#include "model/image/resize.hpp"

namespace yolod::train {
namespace {

using common::Outcome;
using model::eval::JudgedImage;
using model::image::Size;

std::vector<model::eval::Truth> truths_of(const LabelledPicture& picture) {
  std::vector<model::eval::Truth> truths;
  for (const auto& [class_id, box, visible] : picture.objects)
    truths.push_back({class_id, {box.x, box.y, box.x + box.width, box.y + box.height}});
  return truths;
}

// Uses the settings of `yolodctl eval`, except the number of detections.
std::vector<common::Detection> detections_of(std::span<const float> head, std::size_t row_length,
                                             const model::image::Placement& place, const model::heads::NmsRule& rule,
                                             const cv::Mat& picture) {
  // COCO counts 100 detections of a class in a picture. `yolodctl eval` keeps more for Darknet's metric. An
  // untrained network finds an object at each place, and then that takes seconds for each picture.
  constexpr std::size_t kMaxDetections = 300;
  const model::heads::Frame frame{static_cast<float>(place.x), static_cast<float>(place.y),
                                  static_cast<float>(place.width), static_cast<float>(place.height)};
  const auto candidates =
      model::heads::select_candidates(head, row_length, frame, {model::eval::kCocoConfidence, true, {}});
  const model::heads::Target target{static_cast<std::uint32_t>(picture.cols), static_cast<std::uint32_t>(picture.rows)};
  const auto kept = model::heads::suppress(
      candidates, rule, kMaxDetections, [&target](const model::heads::Candidate& one) { return stays(one, target); });
  return model::heads::to_detections(kept, target, kMaxDetections);
}

// Loads the weights as the server runs them.
Outcome<std::unique_ptr<model::TorchNetwork>> load(const model::darknet::Network& network,
                                                   model::darknet::StoredWeights stored, std::size_t threads) {
  auto weights = model::darknet::fold(network, std::move(stored), model::darknet::kBatchNormEpsilon);
  if (!weights) return std::move(weights).error();
  return model::TorchNetwork::load(model::darknet::compile(network, std::move(*weights)), common::Precision::kFp32,
                                   static_cast<std::uint32_t>(threads));
}

}  // namespace

std::optional<Validation> Validation::draw(std::uint64_t seed, std::size_t count, std::size_t threads,
                                           const StopAsked& stop_asked) {
  constexpr std::chrono::milliseconds kAskEvery{100};
  boost::asio::thread_pool pool(threads);  // its destructor drops the tasks that have not begun
  std::vector<std::future<std::shared_ptr<const LabelledPicture>>> pending;
  for (std::size_t i = 0; i < count; ++i) {
    std::packaged_task<std::shared_ptr<const LabelledPicture>()> task(
        [seed, i] { return std::make_shared<const LabelledPicture>(labelled(scenes::draw_scene(seed, i))); });
    pending.push_back(boost::asio::post(pool, std::move(task)));
  }
  Validation validation;
  for (auto& picture : pending) {
    do {
      if (stop_asked()) return std::nullopt;
    } while (picture.wait_for(kAskEvery) != std::future_status::ready);
    validation.pictures_.push_back(picture.get());
  }
  return validation;
}

Validation Validation::of(std::vector<PictureFile> files) {
  Validation validation;
  validation.files_ = std::move(files);
  return validation;
}

Outcome<std::shared_ptr<const LabelledPicture>> Validation::picture(std::size_t index, Size input) const {
  if (files_.empty()) return pictures_[index];
  auto loaded = load_picture(files_[index], input);
  if (!loaded) return std::move(loaded).error();
  return std::shared_ptr<const LabelledPicture>(std::make_shared<LabelledPicture>(std::move(*loaded)));
}

Outcome<std::optional<model::eval::Evaluation>> Validation::judge(const model::darknet::Network& network,
                                                                  model::darknet::StoredWeights weights,
                                                                  std::size_t threads,
                                                                  const StopAsked& stop_asked) const {
  constexpr std::size_t kBatch = 8;
  const auto loaded = load(network, std::move(weights), threads);
  if (!loaded) return loaded.error();
  const auto& shape = (*loaded)->shape();
  const Size input{network.input.width, network.input.height};
  const auto fit = network.letter_box ? model::image::Fit::kLetterbox : model::image::Fit::kStretch;
  const auto nms = model::darknet::nms_settings(network);
  model::heads::NmsRule rule;
  rule.overlap = nms.kind;
  rule.diou_beta = nms.beta;
  std::vector<JudgedImage> judged;
  for (std::size_t first = 0; first < size(); first += kBatch) {
    if (stop_asked()) return std::optional<model::eval::Evaluation>();
    const auto count = std::min(kBatch, size() - first);
    const auto room = (*loaded)->new_input(count);
    if (!room) return room.error();
    const auto values = (*room)->values();
    std::vector<std::shared_ptr<const LabelledPicture>> pictures;
    std::vector<model::image::Placement> places;
    for (std::size_t i = 0; i < count; ++i) {
      auto one = picture(first + i, input);
      if (!one) return std::move(one).error();
      const auto& pixels = (*one)->picture;
      places.push_back(model::image::place(fit, {pixels.cols, pixels.rows}, input, model::image::Rounding::kTruncated));
      model::image::resize_into({pixels.data, pixels.cols, pixels.rows, pixels.step[0]}, places.back(), input, {},
                                model::image::Sampling::kCornersAligned,
                                values.subspan(i * shape.input_count(), shape.input_count()));
      pictures.push_back(std::move(*one));
    }
    const auto head = (*loaded)->forward(**room, count, {});
    if (!head) return head.error();
    for (std::size_t i = 0; i < count; ++i) {
      judged.push_back({truths_of(*pictures[i]),
                        detections_of(head->image(i), head->sides.back(), places[i], rule, pictures[i]->picture)});
    }
  }
  return std::optional(model::eval::evaluate_as_coco(judged, static_cast<std::size_t>(network.classes)));
}

}  // namespace yolod::train
