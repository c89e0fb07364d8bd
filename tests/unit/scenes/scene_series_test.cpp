#include "tools/scenes/scene_series.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

using namespace yolod::scenes;
using yolod::tests::read_file;
using yolod::tests::TemporaryDirectory;

namespace {

SceneSeries small_series(std::uint64_t count) {
  SceneSeries series{kFirstTestSeed, {96, 64}, {}};
  for (std::uint64_t i = 0; i < count; ++i) series.members.push_back({i, "s" + std::to_string(i)});
  return series;
}

}  // namespace

TEST_CASE("SceneSeries: the files do not depend on the number of threads", "[scenes][unit]") {
  const TemporaryDirectory one;
  const TemporaryDirectory four;
  const auto series = small_series(9);
  const auto drawn = write_scenes(series, one.path(), 1, [](std::size_t) {});
  std::vector<std::size_t> told;
  const auto drawn_by_four = write_scenes(series, four.path(), 4, [&](std::size_t count) { told.push_back(count); });
  REQUIRE(drawn.ok());
  REQUIRE(drawn_by_four.ok());
  CHECK(told == std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(drawn.value().text() == drawn_by_four.value().text());
  CHECK(one.names().size() == 18);
  REQUIRE(one.names() == four.names());
  for (const auto& name : one.names()) CHECK(read_file(one.path() / name) == read_file(four.path() / name));
}

TEST_CASE("SceneSeries: zero scenes make no files", "[scenes][unit]") {
  const TemporaryDirectory folder;
  const auto drawn = write_scenes(small_series(0), folder.path(), 3, [](std::size_t) {});
  REQUIRE(drawn.ok());
  CHECK(drawn.value().scenes() == 0);
}

TEST_CASE("SceneSeries: the series ends at the first scene that cannot be written", "[scenes][unit]") {
  const TemporaryDirectory folder;
  std::size_t told = 0;
  const auto drawn = write_scenes(small_series(4), folder.path() / "absent", 2, [&](std::size_t) { ++told; });
  REQUIRE_FALSE(drawn.ok());
  CHECK(drawn.error().code == yolod::common::ErrorCode::kSystem);
  CHECK(told == 0);
}
