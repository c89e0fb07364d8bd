#include "model/tasks/classify_model.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/domain/top_k.hpp"
#include "model/bad_model.hpp"
#include "model/heads/softmax.hpp"
#include "model/rules/loaded_network.hpp"
#include "model/tasks/vision_model.hpp"

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

common::NamedTensor tensor_of(std::string name, std::span<const float> values) {
  common::NamedTensor tensor{std::move(name),
                             {common::ElementType::kFloat32, {static_cast<std::int64_t>(values.size())}, {}}};
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
    if (input.options.tensors) return tensors(output, probabilities);
    return common::Prediction(common::ClassificationList{
        static_cast<std::uint32_t>(prepared.image_size.width), static_cast<std::uint32_t>(prepared.image_size.height),
        common::top_k(probabilities, input.options.top_k.value_or(config().classify.top_k))});
  }

  // Returns the network's output, and the probabilities that it means.
  [[nodiscard]] Outcome<common::Prediction> tensors(std::span<const float> output,
                                                    std::span<const float> probabilities) const {
    common::TensorList list;
    list.tensors.push_back(tensor_of("output0", output));
    list.tensors.push_back(tensor_of("probabilities", probabilities));
    const std::uint64_t bytes = output.size_bytes() + probabilities.size_bytes();
    if (bytes > config().limits.max_result_bytes) {
      return Error{ErrorCode::kInvalidParameter, "the output has " + std::to_string(bytes) +
                                                     " bytes, but the model's limits.max_result_bytes is " +
                                                     std::to_string(config().limits.max_result_bytes)};
    }
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
