#include "tools/progress/progress_line.hpp"

#include <catch2/catch.hpp>

using yolod::tools::cut_to;

TEST_CASE("ProgressLine: a text that fits does not change", "[progress][unit]") {
  CHECK(cut_to("step 1", 6) == "step 1");
  CHECK(cut_to("", 0).empty());
}

TEST_CASE("ProgressLine: a longer text is cut at the last column", "[progress][unit]") {
  CHECK(cut_to("step 1", 4) == "step");
  CHECK(cut_to("step 1", 0).empty());
}

TEST_CASE("ProgressLine: a character is never cut in two", "[progress][unit]") {
  // Each character has two bytes.
  CHECK(cut_to("\u00e4\u00f6\u00fc", 2) == "\u00e4\u00f6");
  CHECK(cut_to("a\u00e4", 1) == "a");
}
