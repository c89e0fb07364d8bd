#include "worker/canary.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "tests/support/temporary_directory.hpp"

namespace yolod::worker {
namespace {

using Catch::Matchers::Contains;

// This model finds the labels that the test sets, in any picture.
class CanaryModel final : public model::Model {
 public:
  explicit CanaryModel(common::Outcome<common::Prediction> answer) : answer_(std::move(answer)) {
    description_.labels = {"red", "green"};
  }
  [[nodiscard]] const common::ModelDescription& description() const override { return description_; }
  [[nodiscard]] common::Outcome<void> warm_up(std::span<const std::size_t> /*sizes*/) override { return {}; }
  [[nodiscard]] common::Outcome<void> use_threads(std::uint32_t /*threads*/) override { return {}; }
  [[nodiscard]] std::vector<model::Output> run(std::span<const model::Input> inputs) override {
    seen.assign(reinterpret_cast<const char*>(inputs[0].body.data()), inputs[0].body.size());
    std::vector<model::Output> outputs(1);
    outputs[0].prediction = answer_;
    return outputs;
  }

  std::string seen;

 private:
  common::Outcome<common::Prediction> answer_;
  common::ModelDescription description_;
};

common::Prediction detections(std::initializer_list<std::uint32_t> classes) {
  common::DetectionList list;
  for (const auto class_id : classes) list.detections.push_back({class_id, 0.9F, {}});
  return list;
}

TEST_CASE("Canary: a model without a canary passes", "[worker][unit]") {
  CanaryModel model(detections({}));
  CHECK(check_canary(model, {}).ok());
  CHECK(model.seen.empty());
}

TEST_CASE("Canary: the model gets the picture and must find each expected label", "[worker][unit]") {
  const tests::TemporaryDirectory folder;
  const common::CanaryConfig canary{folder.write("a.jpg", "a picture"), {"red", "green"}};
  CanaryModel both(detections({1, 0, 1}));
  CHECK(check_canary(both, canary).ok());
  CHECK(both.seen == "a picture");
  CanaryModel one(detections({1}));
  const auto failed = check_canary(one, canary);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == common::ErrorCode::kBadModel);
  CHECK_THAT(failed.error().message, Contains("a.jpg: expected \"red\", but the model found green"));
  CanaryModel none(detections({}));
  CHECK_THAT(check_canary(none, canary).error().message, Contains("but the model found nothing"));
}

TEST_CASE("Canary: a classifier's labels count as well", "[worker][unit]") {
  const tests::TemporaryDirectory folder;
  const common::CanaryConfig canary{folder.write("a.jpg", "a picture"), {"green"}};
  CanaryModel right(common::Prediction(common::ClassificationList{1, 1, {{1, 0.9F}}}));
  CHECK(check_canary(right, canary).ok());
  CanaryModel wrong(common::Prediction(common::ClassificationList{1, 1, {{0, 0.9F}}}));
  CHECK_FALSE(check_canary(wrong, canary).ok());
}

TEST_CASE("Canary: without expected labels any answer passes, and an error fails", "[worker][unit]") {
  const tests::TemporaryDirectory folder;
  const common::CanaryConfig canary{folder.write("a.jpg", "a picture"), {}};
  CanaryModel answers(detections({}));
  CHECK(check_canary(answers, canary).ok());
  CanaryModel refuses(common::Error{common::ErrorCode::kInvalidImage, "no picture"});
  CHECK_THAT(check_canary(refuses, canary).error().message, Contains("a.jpg: no picture"));
}

TEST_CASE("Canary: a missing picture is an error of one line", "[worker][unit]") {
  const tests::TemporaryDirectory folder;
  CanaryModel model(detections({}));
  const auto failed = check_canary(model, {folder.path() / "absent.jpg", {}});
  REQUIRE_FALSE(failed.ok());
  CHECK_THAT(failed.error().message, Contains("absent.jpg: cannot be read"));
}

}  // namespace
}  // namespace yolod::worker
