#include "tools/train/curve.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.hpp"

using yolod::tests::read_file;
using yolod::tests::TemporaryDirectory;
using yolod::train::Curve;

namespace {

const std::string kHeadingLine = "minutes\tstep\tloss\tAP50\tAP50:95\n";

}  // namespace

TEST_CASE("Curve: a new run replaces the file of another run", "[train][unit]") {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.tsv", kHeadingLine + "1\t10\t2\t0.1\t0.05\n");
  Curve curve(file);
  REQUIRE(curve.write().ok());
  CHECK(read_file(file) == kHeadingLine);
  curve.add({1.5, 20, 3.25, 0.5, std::nullopt});
  REQUIRE(curve.write().ok());
  CHECK(read_file(file) == kHeadingLine + "1.5\t20\t3.25\t0.5\t-\n");
}

TEST_CASE("Curve: a resumed run keeps the lines before its step unchanged", "[train][unit]") {
  const TemporaryDirectory folder;
  const std::string kept = kHeadingLine + "0.333333\t10\t2.12345\t0.1\t0.05\n12.5\t20\t-\t-\t-\n";
  const auto file = folder.write("a.tsv", kept + "13.5\t21\t1\t0.2\t0.1\nnonsense\n");
  Curve curve(file);
  REQUIRE(curve.read(20).ok());
  REQUIRE(curve.points().size() == 2);
  CHECK(curve.points()[0].ap50 == 0.1);
  CHECK(curve.points()[1].step == 20);
  CHECK_FALSE(curve.points()[1].ap50);
  REQUIRE(curve.write().ok());
  CHECK(read_file(file) == kept);
}

TEST_CASE("Curve: a missing file has no lines", "[train][unit]") {
  const TemporaryDirectory folder;
  Curve curve(folder.path() / "a.tsv");
  REQUIRE(curve.read(100).ok());
  CHECK(curve.points().empty());
}

TEST_CASE("Curve: a line that could not be written is written the next time", "[train][unit]") {
  const TemporaryDirectory folder;
  Curve curve(folder.path() / "later" / "a.tsv");
  curve.add({1, 2, 3, 4, 5});
  CHECK_FALSE(curve.write().ok());
  std::filesystem::create_directory(folder.path() / "later");
  REQUIRE(curve.write().ok());
  CHECK(read_file(folder.path() / "later" / "a.tsv") == kHeadingLine + "1\t2\t3\t4\t5\n");
}
