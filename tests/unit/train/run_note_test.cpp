#include "tools/train/run_note.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace yolod;
using namespace yolod::train;
using Catch::Matchers::Contains;

namespace {

RunOptions of_pictures() {
  RunOptions options;
  options.pictures = PictureOptions{"images", "labels", "names", 0.25, 0.5};
  return options;
}

const std::string kCfg = "[net]\n\nx=1\n";

std::string note_refusal(const std::string& begun_with, const std::string& asked) {
  const auto same = check_same_run(begun_with, asked);
  REQUIRE_FALSE(same.ok());
  CHECK(same.error().code == common::ErrorCode::kBadConfig);
  return same.error().message;
}

}  // namespace

TEST_CASE("RunNote: a resumed run may have other steps, another rate and other folders", "[train][unit]") {
  auto other = of_pictures();
  other.steps = 9'000;
  other.rate = 0.01;
  other.batch = 4;
  other.threads = 7;
  other.pictures->images = "moved";
  CHECK(check_same_run(run_note(of_pictures(), kCfg, true), run_note(other, kCfg, true)).ok());
}

TEST_CASE("RunNote: a checkpoint with other data, held-out pictures or layers is refused", "[train][unit]") {
  const auto begun = run_note(of_pictures(), kCfg, false);
  auto other = of_pictures();
  other.pictures->held_out = 0.5;
  CHECK_THAT(note_refusal(begun, run_note(other, kCfg, false)),
             Contains("--held-out 0.25, not with") && Contains("--held-out 0.5"));
  other = of_pictures();
  other.seed = 2;
  CHECK_THAT(note_refusal(begun, run_note(other, kCfg, false)), Contains("begun with --seed 1, not with --seed 2"));
  CHECK_THAT(note_refusal(begun, run_note(RunOptions{}, kCfg, false)), Contains("not with --scenes"));
  CHECK_THAT(note_refusal(begun, run_note(of_pictures(), "[net]\n\nx=2\n", false)), Contains("another --cfg"));
  for (const std::string note : {"", "\n", "--steps 9000", "{}"}) CHECK_FALSE(check_same_run(note, begun).ok());
}

TEST_CASE("RunNote: a resumed run keeps its objective", "[train][unit]") {
  const auto tuned = run_note(of_pictures(), kCfg, true);
  const auto other = run_note(of_pictures(), kCfg, false);
  CHECK_THAT(note_refusal(tuned, other),
             Contains("begun with --weights for every layer, not with --weights for some layers or none"));
  CHECK_THAT(note_refusal(other, tuned), Contains("not with --weights for every layer"));
}
