#include "worker/canary.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/system/plain_file.hpp"

namespace yolod::worker {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::size_t kMostPictureBytes = std::size_t{1} << 30U;

Error fails(const common::CanaryConfig& canary, const std::string& why) {
  return {ErrorCode::kBadModel, "canary " + canary.image.string() + ": " + why};
}

template <typename List>
std::set<std::string> labels_of(const List& list, const std::vector<std::string>& labels) {
  std::set<std::string> found;
  for (const auto& item : list) found.insert(labels.at(item.class_id));
  return found;
}

std::set<std::string> labels_in(const common::Prediction& prediction, const std::vector<std::string>& labels) {
  if (const auto* list = std::get_if<common::DetectionList>(&prediction)) return labels_of(list->detections, labels);
  if (const auto* list = std::get_if<common::ClassificationList>(&prediction)) {
    return labels_of(list->classifications, labels);
  }
  return {};
}

std::string joined(const std::set<std::string>& labels) {
  std::string text;
  for (const auto& label : labels) text += (text.empty() ? "" : ", ") + label;
  return text.empty() ? "nothing" : text;
}

}  // namespace

Outcome<void> check_canary(model::Model& model, const common::CanaryConfig& canary) {
  if (canary.image.empty()) return {};
  const auto picture = common::read_plain_file(canary.image, kMostPictureBytes);
  if (!picture || picture->empty()) return fails(canary, "cannot be read");
  const model::Input input{std::as_bytes(std::span(*picture))};
  const auto outputs = model.run({&input, 1});
  const auto& prediction = outputs.front().prediction;
  if (!prediction) return fails(canary, prediction.error().message);
  const auto found = labels_in(*prediction, model.description().labels);
  for (const auto& label : canary.expect) {
    if (!found.contains(label))
      return fails(canary, "expected \"" + label + "\", but the model found " + joined(found));
  }
  return {};
}

}  // namespace yolod::worker
