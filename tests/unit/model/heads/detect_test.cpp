#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "model/heads/candidates.hpp"
#include "model/heads/detections.hpp"
#include "model/heads/nms.hpp"

using namespace yolod::model::heads;

namespace {

constexpr auto kAllCount = [](const Candidate& /*candidate*/) { return true; };

constexpr Frame kFrame{0, 0, 100, 100};

Candidate candidate(float x, float y, float size, float confidence, std::uint32_t class_id = 0) {
  return {{x, y, size, size}, confidence, class_id};
}

// Does what Darknet's loops do, in their order: class by class, for every pair.
std::vector<Candidate> reference_nms(const std::vector<Candidate>& sorted, const yolod::model::heads::NmsRule& rule) {
  std::vector<bool> dead(sorted.size(), false);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = i + 1; j < sorted.size() && !dead[i]; ++j) {
      if (sorted[j].class_id == sorted[i].class_id && iou(sorted[i].box, sorted[j].box) > rule.threshold)
        dead[j] = true;
    }
  }
  std::vector<Candidate> kept;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (!dead[i]) kept.push_back(sorted[i]);
  }
  return kept;
}

}  // namespace

TEST_CASE("Candidates: objectness and the product must both be above the threshold", "[model][unit]") {
  const std::vector<float> head{
      50, 50, 10, 10, 0.9F,  0.5F, 0.1F,  // class 0
      50, 50, 10, 10, 0.25F, 1.0F, 1.0F,  // the objectness is not above the threshold
      50, 50, 10, 10, 0.5F,  0.5F, 0.5F,  // the product is not above the threshold
      20, 30, 10, 20, 1.0F,  0.3F, 0.8F,  // both classes count
  };
  const auto found = select_candidates(head, 7, kFrame, {0.25F, true, {}});
  REQUIRE(found.size() == 3);
  CHECK(found[0].confidence == Approx(0.8F));
  CHECK(found[0].class_id == 1);
  CHECK(found[0].box.x == Approx(0.2F));
  CHECK(found[0].box.height == Approx(0.2F));
  CHECK(found[1].confidence == Approx(0.45F));
  CHECK(found[2].confidence == Approx(0.3F));
}

// The head is [4 + classes, candidates], with three boxes and two classes.
const std::vector<float> kScoresHead{
    50,   20,   70,                                       // x
    50,   30,   70,                                       // y
    10,   10,   10,                                       // w
    10,   20,   10,                                       // h
    0.9F, 0.3F, 0.1F,                                     // class 0
    0.2F, 0.8F, std::numeric_limits<float>::quiet_NaN(),  // class 1
};

TEST_CASE("Candidates: in a head with class scores, every score above the threshold is a candidate", "[model][unit]") {
  const auto found = select_by_scores(kScoresHead, 3, kFrame, {0.25F, true, {}});
  REQUIRE(found.size() == 3);
  CHECK(found[0].confidence == 0.9F);
  CHECK(found[0].class_id == 0);
  CHECK(found[1].confidence == 0.8F);
  CHECK(found[1].class_id == 1);
  CHECK(found[1].box.x == Approx(0.2F));
  CHECK(found[1].box.height == Approx(0.2F));
  CHECK(found[2].confidence == 0.3F);
  CHECK(found[2].class_id == 0);
}

TEST_CASE("Candidates: in a head with class scores and without multi_label, only the best class of a box counts",
          "[model][unit]") {
  const auto found = select_by_scores(kScoresHead, 3, kFrame, {0.25F, false, {}});
  REQUIRE(found.size() == 2);
  CHECK(found[0].class_id == 0);
  CHECK(found[1].class_id == 1);
  const std::vector<std::uint8_t> first_alone{1, 0};
  const auto filtered = select_by_scores(kScoresHead, 3, kFrame, {0.25F, false, first_alone});
  REQUIRE(filtered.size() == 2);
  CHECK(filtered[1].confidence == 0.3F);
}

TEST_CASE("Candidates: in a head with class scores, a box that is not finite is no candidate", "[model][unit]") {
  auto head = kScoresHead;
  head[1] = std::numeric_limits<float>::infinity();
  const auto found = select_by_scores(head, 3, kFrame, {0.25F, true, {}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].confidence == 0.9F);
  CHECK(select_by_scores({}, 0, kFrame, {0.25F, true, {}}).empty());
}

TEST_CASE("Candidates: class scores and an objectness of 1 give the same candidates", "[model][unit]") {
  constexpr std::size_t kCount = 500;
  constexpr std::size_t kClasses = 3;
  std::mt19937 random(11);
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<float> rows;
  std::vector<float> columns((4 + kClasses) * kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    for (std::size_t k = 0; k < 4 + kClasses; ++k) {
      if (k == 4) rows.push_back(1);
      rows.push_back(uniform(random));
      columns[k * kCount + i] = rows.back();
    }
  }
  for (const bool multi_label : {true, false}) {
    const Selection selection{0.4F, multi_label, {}};
    const auto a = select_candidates(rows, 5 + kClasses, kFrame, selection);
    const auto b = select_by_scores(columns, kCount, kFrame, selection);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(a[i].confidence == b[i].confidence);
      CHECK(a[i].class_id == b[i].class_id);
      CHECK(a[i].box.x == b[i].box.x);
      CHECK(a[i].box.height == b[i].box.height);
    }
  }
}

TEST_CASE("Candidates: final boxes are used unchanged, without padding and invalid rows", "[model][unit]") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> head{
      10, 20,   30, 60, 0.5F, 1,     //
      0,  0,    10, 10, 0.9F, 0,     //
      0,  0,    10, 10, 0.2F, 0,     // below the threshold
      0,  0,    10, 10, 0.9F, 2,     // the class does not exist
      0,  0,    10, 10, 0.9F, -1,    // padding
      0,  0,    10, 10, 0.9F, kNan,  //
      0,  0,    10, 10, kNan, 0,     //
      0,  kNan, 10, 10, 0.9F, 0,     //
  };
  const auto found = select_final(head, 2, kFrame, {0.25F, true, {}});
  REQUIRE(found.size() == 2);
  CHECK(found[0].confidence == 0.9F);
  CHECK(found[1].class_id == 1);
  CHECK(found[1].box.x == Approx(0.2F));
  CHECK(found[1].box.y == Approx(0.4F));
  CHECK(found[1].box.width == Approx(0.2F));
  CHECK(found[1].box.height == Approx(0.4F));
  CHECK(select_final({}, 2, kFrame, {0.25F, true, {}}).empty());
}

TEST_CASE("Candidates: without multi_label only the best class of a box counts", "[model][unit]") {
  const std::vector<float> head{20, 30, 10, 20, 1.0F, 0.3F, 0.8F};
  const auto found = select_candidates(head, 7, kFrame, {0.25F, false, {}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].class_id == 1);
}

TEST_CASE("Candidates: a class filter removes the other classes", "[model][unit]") {
  const std::vector<float> head{20, 30, 10, 20, 1.0F, 0.3F, 0.8F};
  const std::vector<std::uint8_t> kept{1, 0};
  for (const bool multi_label : {true, false}) {
    const auto found = select_candidates(head, 7, kFrame, {0.25F, multi_label, kept});
    REQUIRE(found.size() == 1);
    CHECK(found[0].class_id == 0);
  }
}

TEST_CASE("Candidates: boxes with values that are not finite are ignored", "[model][unit]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  const std::vector<float> head{nan, 1, 1, 1, 1, 1, 1, 1, infinite, 1, 1, 1, 1, 1, 1, nan, 1, 1, 1, 1, 1, nan};
  CHECK(select_candidates(std::span(head).first(18), 6, kFrame, {0, true, {}}).empty());
}

TEST_CASE("Candidates: the result may be empty, and the limit keeps the best candidates", "[model][unit]") {
  CHECK(select_candidates({}, 6, kFrame, {0.25F, true, {}}).empty());
  std::vector<float> head;
  constexpr std::size_t kRows = kMaxCandidates + 1'000;
  for (std::size_t i = 0; i < kRows; ++i) {
    const float confidence = static_cast<float>(i + 1) / static_cast<float>(kRows + 1);
    head.insert(head.end(), {50, 50, 1, 1, confidence, 1});
  }
  const auto found = select_candidates(head, 6, kFrame, {0, true, {}});
  REQUIRE(found.size() == kMaxCandidates);
  CHECK(found.front().confidence > found.back().confidence);
  CHECK(found.back().confidence == Approx(1'001.0F / static_cast<float>(kRows + 1)));
}

TEST_CASE("Candidates: boxes of a letterboxed picture are mapped back to the picture", "[model][unit]") {
  const std::vector<float> head{60, 50, 20, 10, 1, 1};
  const auto found = select_candidates(head, 6, {0, 25, 100, 50}, {0.25F, true, {}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].box.x == Approx(0.6F));
  CHECK(found[0].box.y == Approx(0.5F));
  CHECK(found[0].box.width == Approx(0.2F));
  CHECK(found[0].box.height == Approx(0.2F));
}

TEST_CASE("IoU: known boxes have the expected IoU and DIoU", "[model][unit]") {
  const RelativeBox a{0.5F, 0.5F, 0.4F, 0.4F};
  CHECK(iou(a, a) == Approx(1));
  CHECK(iou(a, {0.7F, 0.5F, 0.4F, 0.4F}) == Approx(1.0 / 3));
  CHECK(iou(a, {0.95F, 0.5F, 0.4F, 0.4F}) == 0);
  CHECK(iou({0, 0, 0, 0}, {0, 0, 0, 0}) == 0);
  CHECK(diou(a, a, 0.6F) == Approx(1));
  // The centres are 0.2 apart. The box around both boxes is 0.6 x 0.4.
  CHECK(diou(a, {0.7F, 0.5F, 0.4F, 0.4F}, 1) == Approx(1.0 / 3 - 0.04 / 0.52));
  CHECK(diou(a, {0.7F, 0.5F, 0.4F, 0.4F}, 0.6F) == Approx(1.0 / 3 - std::pow(0.04 / 0.52, 0.6)));
  CHECK(diou({0, 0, 0, 0}, {0, 0, 0, 0}, 0.6F) == 0);
}

TEST_CASE("NMS: a box suppresses a worse box of its class, but no box of another class", "[model][unit]") {
  const std::vector<Candidate> sorted{candidate(0.5F, 0.5F, 0.4F, 0.9F), candidate(0.51F, 0.5F, 0.4F, 0.8F),
                                      candidate(0.51F, 0.5F, 0.4F, 0.7F, 1), candidate(0.1F, 0.1F, 0.1F, 0.6F)};
  const auto kept = suppress(sorted, {}, 300, kAllCount);
  REQUIRE(kept.size() == 3);
  CHECK(kept[0].confidence == 0.9F);
  CHECK(kept[1].class_id == 1);
  CHECK(kept[2].confidence == 0.6F);
}

TEST_CASE("NMS: a suppressed box suppresses no other box", "[model][unit]") {
  const std::vector<Candidate> chain{candidate(0.40F, 0.5F, 0.2F, 0.9F), candidate(0.46F, 0.5F, 0.2F, 0.8F),
                                     candidate(0.52F, 0.5F, 0.2F, 0.7F)};
  const auto kept = suppress(chain, {0.45F, Overlap::kIou, 0.6F}, 300, kAllCount);
  REQUIRE(kept.size() == 2);
  CHECK(kept[1].confidence == 0.7F);
}

TEST_CASE("NMS: the limit keeps the best", "[model][unit]") {
  const std::vector<Candidate> sorted{candidate(0.1F, 0.1F, 0.1F, 0.9F), candidate(0.5F, 0.5F, 0.1F, 0.8F)};
  CHECK(suppress(sorted, {}, 1, kAllCount).size() == 1);
  CHECK(suppress(sorted, {}, 0, kAllCount).empty());
  CHECK(suppress({}, {}, 300, kAllCount).empty());
}

TEST_CASE("NMS: a single pass over all classes gives the same result as Darknet's pass for each class",
          "[model][unit]") {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> place(0, 1);
  for (int round = 0; round < 50; ++round) {
    std::vector<Candidate> sorted;
    for (int i = 0; i < 100; ++i)
      sorted.push_back(
          candidate(place(random), place(random), 0.2F + 0.3F * place(random), place(random), random() % 3));
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.confidence > b.confidence; });
    const auto expected = reference_nms(sorted, {});
    const auto kept = suppress(sorted, {}, 1'000, kAllCount);
    REQUIRE(kept.size() == expected.size());
    for (std::size_t i = 0; i < kept.size(); ++i) CHECK(kept[i].confidence == expected[i].confidence);
  }
}

TEST_CASE("Detections: boxes are in pixels of the picture and clipped to its edges", "[model][unit]") {
  const std::vector<Candidate> kept{{{0.5F, 0.5F, 0.5F, 0.25F}, 0.9F, 3}, {{0.0F, 1.0F, 0.5F, 0.5F}, 0.8F, 4}};
  const auto found = to_detections(kept, {200, 100}, 300);
  REQUIRE(found.size() == 2);
  CHECK(found[0].class_id == 3);
  CHECK(found[0].box == yolod::common::Box{50, 37.5F, 150, 62.5F});
  CHECK(found[1].box == yolod::common::Box{0, 75, 50, 100});
}

TEST_CASE("Detections: a box that lies wholly outside the picture is removed", "[model][unit]") {
  const std::vector<Candidate> kept{{{1.5F, 0.5F, 0.2F, 0.2F}, 0.9F, 0}, {{0.5F, 0.5F, 0, 0.2F}, 0.9F, 0}};
  CHECK(to_detections(kept, {200, 100}, 300).empty());
}

TEST_CASE("Detections: boxes may reach beyond the picture if the config keeps them", "[model][unit]") {
  const std::vector<Candidate> kept{candidate(0, 0.5F, 0.2F, 0.9F), candidate(1.5F, 0.5F, 0.2F, 0.8F)};
  const auto whole = to_detections(kept, {100, 200, Edges::kKeep}, 300);
  REQUIRE(whole.size() == 2);
  CHECK(whole[0].box.x_min == Approx(-10));
  CHECK(whole[0].box.y_min == Approx(80));
  CHECK(whole[1].box.x_max == Approx(160));
}

TEST_CASE("Detections: removed boxes do not count towards the limit", "[model][unit]") {
  // The best two boxes lie outside the picture. The third ends at its edge.
  const std::vector<Candidate> sorted{candidate(1.5F, 0.5F, 0.2F, 0.9F), candidate(0.5F, -0.2F, 0.2F, 0.8F),
                                      candidate(0.95F, 0.5F, 0.2F, 0.7F), candidate(0.2F, 0.2F, 0.2F, 0.6F),
                                      candidate(0.5F, 0.5F, 0.2F, 0.5F)};
  const auto edges = GENERATE(Edges::kClip, Edges::kKeep);
  const Target target{100, 100, edges};
  const auto confidences = [](const auto& found) {
    std::vector<float> each;
    for (const auto& one : found) each.push_back(one.confidence);
    return each;
  };
  const std::vector<float> expected =
      edges == Edges::kClip ? std::vector<float>{0.7F, 0.6F} : std::vector<float>{0.9F, 0.8F};
  CHECK(confidences(to_detections(sorted, target, 2)) == expected);
  const auto kept = suppress(sorted, {}, 2, [&](const Candidate& one) { return stays(one, target); });
  CHECK(confidences(to_detections(kept, target, 2)) == expected);
}

TEST_CASE("NMS: a box outside the picture still suppresses, and the number of such boxes is limited", "[model][unit]") {
  const auto inside = [](const Candidate& one) { return stays(one, {100, 100}); };
  // The first two boxes are nearly the same. The second reaches into the picture by a twentieth of its side, the
  // first lies outside.
  const std::vector<Candidate> edge{candidate(-0.11F, 0.5F, 0.2F, 0.9F), candidate(-0.09F, 0.5F, 0.2F, 0.8F),
                                    candidate(0.5F, 0.5F, 0.2F, 0.7F)};
  const auto kept = suppress(edge, {}, 2, inside);
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].confidence == 0.9F);
  CHECK(kept[1].confidence == 0.7F);

  std::vector<Candidate> many;
  for (int i = 0; i < 1'000; ++i) many.push_back(candidate(2 + static_cast<float>(i), 0.5F, 0.2F, 0.9F));
  many.push_back(candidate(0.5F, 0.5F, 0.2F, 0.7F));
  const auto few = suppress(many, {}, 3, inside);
  REQUIRE(few.size() == 4);
  CHECK(few[3].confidence == 0.7F);
}
