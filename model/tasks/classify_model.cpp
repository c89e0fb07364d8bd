#include "model/tasks/classify_model.hpp"

#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/bad_model.hpp"
#include "model/heads/top_k.hpp"
#include "model/json_picture.hpp"
#include "model/rules/loaded_network.hpp"
#include "model/tasks/vision_model.hpp"

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

template <typename Number>
common::NamedTensor tensor_of(std::string name, common::ElementType type, std::span<const Number> values) {
  common::NamedTensor tensor{std::move(name), {type, {static_cast<std::int64_t>(values.size())}, {}}};
  tensor.array.bytes.resize(values.size_bytes());
  if (!values.empty()) std::memcpy(tensor.array.bytes.data(), values.data(), values.size_bytes());
  return tensor;
}

class ClassifyModel final : public VisionModel {
 public:
  ClassifyModel(const common::ModelConfig& config, LoadedNetwork loaded)
      : VisionModel(config, std::move(loaded.network), preparation_for(config, loaded.rules), "classify",
                    std::move(loaded.labels)),
        logits_(loaded.rules.logits) {}

 private:
  [[nodiscard]] Outcome<void> check(const common::PredictionOptions& options) const override {
    if (options.top_k && (*options.top_k == 0 || *options.top_k > common::kMaxTopK)) {
      return Error{ErrorCode::kInvalidParameter, "top_k: 1 to " + std::to_string(common::kMaxTopK) + " is allowed"};
    }
    return {};
  }

  [[nodiscard]] Outcome<common::Prediction> answer(const RawHead& head, std::size_t index, const Prepared& prepared,
                                                   const Input& input) const override {
    const auto output = head.image(index);
    std::vector<float> probabilities(output.begin(), output.end());
    if (logits_) heads::softmax(probabilities);
    // The raw view has no probabilities, so the output itself ranks its classes.
    if (input.options.tensors) return tensors(output, has_planes(input) ? output : probabilities, input.options);
    return common::Prediction(common::ClassificationList{
        static_cast<std::uint32_t>(prepared.image_size.width), static_cast<std::uint32_t>(prepared.image_size.height),
        heads::top_k(probabilities, input.options.top_k.value_or(config().classify.top_k))});
  }

  // Returns the network's output, and the numbers and values of the best classes of `ranked`.
  [[nodiscard]] Outcome<common::Prediction> tensors(std::span<const float> output, std::span<const float> ranked,
                                                    const common::PredictionOptions& options) const {
    if (auto checked = check_output(output.size_bytes()); !checked) return checked.error();
    std::vector<std::int32_t> ids;
    std::vector<float> values;
    for (const auto& best : heads::top_k(ranked, options.top_k.value_or(config().classify.top_k))) {
      ids.push_back(static_cast<std::int32_t>(best.class_id));
      values.push_back(best.probability);
    }
    common::TensorList list;
    list.tensors.push_back(tensor_of("output0", common::ElementType::kFloat32, output));
    list.tensors.push_back(tensor_of<std::int32_t>("class_ids", common::ElementType::kInt32, ids));
    list.tensors.push_back(tensor_of<float>("values", common::ElementType::kFloat32, values));
    return common::Prediction(std::move(list));
  }

  bool logits_;
};

}  // namespace

Outcome<std::unique_ptr<Model>> make_classify_model(const common::ModelConfig& config, LoadedNetwork loaded) {
  if (loaded.labels.empty()) return bad_model(config.name + ": the file with the class names is missing in the config");
  return std::unique_ptr<Model>(std::make_unique<ClassifyModel>(config, std::move(loaded)));
}

}  // namespace yolod::model
