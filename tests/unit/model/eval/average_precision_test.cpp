#include "model/eval/average_precision.hpp"

#include <catch2/catch.hpp>

using namespace yolod;
using model::eval::evaluate_as_coco;
using model::eval::evaluate_as_darknet;
using model::eval::JudgedImage;
using model::eval::Truth;

namespace {

// Returns a box of 10 x 10 pixels with its upper left corner at x, y.
common::Box square(float x, float y = 0) { return {x, y, x + 10, y + 10}; }

common::Detection found(float confidence, const common::Box& box, std::uint32_t class_id = 0) {
  return {class_id, confidence, box};
}

Truth object(const common::Box& box, std::uint32_t class_id = 0) { return {class_id, box}; }

}  // namespace

TEST_CASE("Average precision: the value is 1 if all objects and nothing else are found", "[model][unit]") {
  const std::vector<JudgedImage> images{
      {{object(square(0)), object(square(50))}, {found(0.9F, square(0)), found(0.8F, square(50))}},
      {{object(square(20))}, {found(0.7F, square(20))}},
  };
  const auto coco = evaluate_as_coco(images, 1);
  CHECK(*coco.mean.ap50 == Approx(1));
  CHECK(*coco.mean.ap50_95 == Approx(1));
  CHECK(coco.classes.at(0).truth_count == 3);
  CHECK(coco.classes.at(0).detection_count == 3);
  const auto darknet = evaluate_as_darknet(images, 1);
  CHECK(*darknet.mean.ap50 == Approx(1));
  CHECK_FALSE(darknet.mean.ap50_95.has_value());
}

TEST_CASE("Average precision: the values without detections, without truths and without images", "[model][unit]") {
  const std::vector<JudgedImage> unseen{{{object(square(0))}, {}}};
  CHECK(*evaluate_as_coco(unseen, 1).mean.ap50 == 0);
  CHECK(*evaluate_as_darknet(unseen, 1).mean.ap50 == 0);
  const std::vector<JudgedImage> empty{{{}, {found(0.9F, square(0))}}};
  CHECK_FALSE(evaluate_as_coco(empty, 1).mean.ap50.has_value());
  CHECK(*evaluate_as_darknet(empty, 1).mean.ap50 == 0);
  CHECK(evaluate_as_coco({}, 2).classes.size() == 2);
  CHECK(*evaluate_as_darknet({}, 2).mean.ap50 == 0);
  CHECK_FALSE(evaluate_as_darknet({}, 0).mean.ap50.has_value());
}

TEST_CASE("Average precision: a class without truths counts only in Darknet's mean", "[model][unit]") {
  const std::vector<JudgedImage> images{{{object(square(0), 1)}, {found(0.9F, square(0), 1), found(0.8F, square(0))}}};
  const auto coco = evaluate_as_coco(images, 4);
  CHECK(*coco.mean.ap50 == Approx(1));
  CHECK_FALSE(coco.classes[0].score.ap50.has_value());
  CHECK(*coco.classes[1].score.ap50 == Approx(1));
  const auto darknet = evaluate_as_darknet(images, 4);
  CHECK(*darknet.mean.ap50 == Approx(0.25));
  CHECK(*darknet.classes[0].score.ap50 == 0);
}

// The best detection is right, the next is wrong and the last is right. Together they find two of three truths. The
// precision is 1, 1/2 and 2/3 in turn, the recall 1/3, 1/3 and 2/3.
TEST_CASE("Average precision: COCO averages 101 recalls, Darknet takes the area under the curve", "[model][unit]") {
  const std::vector<JudgedImage> images{
      {{object(square(0)), object(square(50))}, {found(0.5F, square(50)), found(0.9F, square(0))}},
      {{object(square(0))}, {found(0.7F, square(80))}},
  };
  // The precision is 1 at recalls from 0 to 0.33, 2/3 from 0.34 to 0.66, and 0 at the other 34 recalls.
  CHECK(*evaluate_as_coco(images, 1).mean.ap50 == Approx((34 * 1.0 + 33 * 2.0 / 3) / 101));
  CHECK(*evaluate_as_darknet(images, 1).mean.ap50 == Approx(1.0 / 3 + 1.0 / 3 * 2 / 3));
}

TEST_CASE("Average precision: a truth is matched only once", "[model][unit]") {
  const std::vector<JudgedImage> images{
      {{object(square(0)), object(square(50))},
       {found(0.9F, square(0)), found(0.8F, square(1)), found(0.7F, square(50))}},
  };
  // The detections are right, wrong and right, in this order.
  CHECK(*evaluate_as_coco(images, 1).mean.ap50 == Approx((51 * 1.0 + 50 * 2.0 / 3) / 101));
  CHECK(*evaluate_as_darknet(images, 1).mean.ap50 == Approx(0.5 + 0.5 * 2 / 3));
}

// The two truths overlap. The first truth has the largest overlap with both detections.
TEST_CASE("Average precision: only COCO matches the second detection to another truth", "[model][unit]") {
  const std::vector<JudgedImage> images{
      {{object(square(0)), object(square(2))}, {found(0.9F, square(0)), found(0.8F, square(0.5F))}},
  };
  CHECK(*evaluate_as_coco(images, 1).mean.ap50 == Approx(1));
  CHECK(*evaluate_as_darknet(images, 1).mean.ap50 == Approx(0.5));
}

TEST_CASE("Average precision: an IoU of exactly 0.5 counts for COCO, not for Darknet", "[model][unit]") {
  // The detection covers half of the truth and nothing else.
  const std::vector<JudgedImage> images{{{object({0, 0, 10, 10})}, {found(0.9F, {0, 0, 10, 5})}}};
  const auto coco = evaluate_as_coco(images, 1);
  CHECK(*coco.mean.ap50 == Approx(1));
  CHECK(*coco.mean.ap50_95 == Approx(0.1));
  CHECK(*evaluate_as_darknet(images, 1).mean.ap50 == 0);
}

TEST_CASE("Average precision: COCO averages over ten thresholds of IoU", "[model][unit]") {
  // The IoU is 0.72, so the detection is right at 0.5, 0.55, 0.6, 0.65 and 0.7.
  const std::vector<JudgedImage> images{{{object({0, 0, 100, 100})}, {found(0.9F, {0, 0, 100, 72})}}};
  CHECK(*evaluate_as_coco(images, 1).mean.ap50_95 == Approx(0.5));
}

TEST_CASE("Average precision: COCO uses the 100 best detections of a class in a picture", "[model][unit]") {
  JudgedImage image{{object(square(0))}, {}};
  for (int i = 0; i < 100; ++i) image.detections.push_back(found(0.9F, square(50), 0));
  image.detections.push_back(found(0.1F, square(0)));
  // This detection has another class, so it does not count towards the limit of class 0.
  image.detections.push_back(found(0.95F, square(50), 1));
  const std::vector<JudgedImage> images{image};
  CHECK(*evaluate_as_coco(images, 2).classes[0].score.ap50 == 0);
  CHECK(*evaluate_as_darknet(images, 2).classes[0].score.ap50 == Approx(1.0 / 101));
}

TEST_CASE("Average precision: detections of other pictures and classes match nothing", "[model][unit]") {
  const std::vector<JudgedImage> images{
      {{object(square(0))}, {}},
      {{}, {found(0.9F, square(0))}},
      {{object(square(0), 1)}, {found(0.9F, square(0), 0)}},
  };
  CHECK(*evaluate_as_coco(images, 2).mean.ap50 == 0);
  CHECK(*evaluate_as_darknet(images, 2).mean.ap50 == 0);
}
