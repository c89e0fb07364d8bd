#include "tools/train/run_note.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace yolod;
using namespace yolod::train;
using Catch::Matchers::Contains;

namespace {

RunOptions by_steps() {
  RunOptions options;
  options.steps = 9'000;
  return options;
}

std::string note_of(const RunOptions& options, std::size_t threads = 2,
                    common::Precision precision = common::Precision::kBf16, const std::string& cfg = "[net]\n\nx=1\n") {
  return run_note(options, threads, precision, cfg);
}

}  // namespace

TEST_CASE("RunNote: the same options fit", "[train][unit]") {
  CHECK(check_same_run(note_of(by_steps()), note_of(by_steps())).ok());
  // What shapes no weights.
  auto other = by_steps();
  other.loader_threads = 7;
  other.validations = 3;
  other.resume = true;
  CHECK(check_same_run(note_of(by_steps()), note_of(other)).ok());
}

TEST_CASE("RunNote: another option is refused by its name", "[train][unit]") {
  const auto refusal = [](const std::string& note) {
    const auto same = check_same_run(note_of(by_steps()), note);
    REQUIRE_FALSE(same.ok());
    CHECK(same.error().code == common::ErrorCode::kBadConfig);
    return same.error().message;
  };
  const std::vector<std::pair<std::string, std::function<void(RunOptions&)>>> changes{
      {"--seed", [](RunOptions& options) { options.seed = 2; }},
      {"--batch", [](RunOptions& options) { options.batch = 8; }},
      {"--rate", [](RunOptions& options) { options.rate = 0.001; }},
      {"--fresh", [](RunOptions& options) { options.window.fresh_per_image = 1; }},
      {"--steps", [](RunOptions& options) { options.steps = 9'001; }},
  };
  for (const auto& [name, change] : changes) {
    auto options = by_steps();
    change(options);
    CHECK_THAT(refusal(note_of(options)), Contains("not with " + name + " "));
  }
  CHECK_THAT(refusal(note_of(by_steps(), 3)), Contains("begun with --threads 2, not with --threads 3"));
  CHECK_THAT(refusal(note_of(by_steps(), 2, common::Precision::kFp32)), Contains("not with --precision fp32"));
  CHECK_THAT(refusal(note_of(by_steps(), 2, common::Precision::kBf16, "[net]\n\nx=2\n")), Contains("another --cfg"));
  RunOptions by_time;
  by_time.minutes = 85;
  CHECK_THAT(refusal(note_of(by_time)), Contains("begun with --steps 9000, not with --minutes 85"));
}

TEST_CASE("RunNote: a note of another program's fits nothing", "[train][unit]") {
  for (const std::string note : {"", "\n", "--steps 9000", "{}"})
    CHECK_FALSE(check_same_run(note, note_of(by_steps())).ok());
}
