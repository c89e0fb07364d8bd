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

std::vector<model::eval::Truth> truths_of(const scenes::Scene& scene) {
  std::vector<model::eval::Truth> truths;
  for (const auto& light : scene.lights) {
    const auto& box = light.box;
    truths.push_back({static_cast<std::uint32_t>(light.light), {box.x, box.y, box.x + box.width, box.y + box.height}});
  }
  return truths;
}

// As `yolodctl eval` asks for them, but for their number.
std::vector<common::Detection> detections_of(std::span<const float> head, std::size_t row_length,
                                             const model::NetworkShape& shape, const model::heads::NmsRule& rule,
                                             const scenes::Scene& scene) {
  // COCO counts 100 of a class in a picture. `yolodctl eval` keeps more for Darknet's metric; of an untrained network,
  // which finds something in each place, that takes seconds a picture.
  constexpr std::size_t kMaxDetections = 300;
  const model::heads::Frame frame{0, 0, static_cast<float>(shape.width), static_cast<float>(shape.height)};
  const auto candidates =
      model::heads::select_candidates(head, row_length, frame, {model::eval::kCocoConfidence, true, {}});
  const model::heads::Target target{static_cast<std::uint32_t>(scene.picture.cols),
                                    static_cast<std::uint32_t>(scene.picture.rows)};
  const auto kept = model::heads::suppress(
      candidates, rule, kMaxDetections, [&target](const model::heads::Candidate& one) { return stays(one, target); });
  return model::heads::to_detections(kept, target, kMaxDetections);
}

// The weights as the server runs them.
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
  boost::asio::thread_pool pool(threads);  // at its end it drops what it has not begun
  std::vector<std::future<scenes::Scene>> pending;
  for (std::size_t i = 0; i < count; ++i) {
    std::packaged_task<scenes::Scene()> task([seed, i] { return scenes::draw_scene(seed, i); });
    pending.push_back(boost::asio::post(pool, std::move(task)));
  }
  Validation validation;
  for (auto& scene : pending) {
    do {
      if (stop_asked()) return std::nullopt;
    } while (scene.wait_for(kAskEvery) != std::future_status::ready);
    validation.scenes_.push_back(scene.get());
  }
  return validation;
}

Outcome<std::optional<model::eval::Evaluation>> Validation::judge(const model::darknet::Network& network,
                                                                  model::darknet::StoredWeights weights,
                                                                  std::size_t threads,
                                                                  const StopAsked& stop_asked) const {
  constexpr std::size_t kBatch = 8;
  const auto loaded = load(network, std::move(weights), threads);
  if (!loaded) return loaded.error();
  const auto& shape = (*loaded)->shape();
  const model::image::Size input{network.input.width, network.input.height};
  const auto nms = model::darknet::nms_settings(network);
  model::heads::NmsRule rule;
  rule.overlap = nms.kind;
  rule.diou_beta = nms.beta;
  std::vector<JudgedImage> judged;
  for (std::size_t first = 0; first < scenes_.size(); first += kBatch) {
    if (stop_asked()) return std::optional<model::eval::Evaluation>();
    const auto count = std::min(kBatch, scenes_.size() - first);
    const auto room = (*loaded)->new_input(count);
    if (!room) return room.error();
    const auto values = (*room)->values();
    for (std::size_t i = 0; i < count; ++i) {
      const auto& picture = scenes_[first + i].picture;
      model::image::resize_into({picture.data, picture.cols, picture.rows, picture.step[0]},
                                {0, 0, input.width, input.height}, input, {}, model::image::Sampling::kCornersAligned,
                                values.subspan(i * shape.input_count(), shape.input_count()));
    }
    const auto head = (*loaded)->forward(**room, count, {});
    if (!head) return head.error();
    for (std::size_t i = 0; i < count; ++i) {
      const auto& scene = scenes_[first + i];
      judged.push_back({truths_of(scene), detections_of(head->image(i), head->sides.back(), shape, rule, scene)});
    }
  }
  return std::optional(model::eval::evaluate_as_coco(judged, static_cast<std::size_t>(network.classes)));
}

}  // namespace yolod::train
