#include "model/darknet/names.hpp"

#include <catch2/catch.hpp>

#include "tests/support/temporary_directory.hpp"

using Catch::Matchers::Contains;
using yolod::model::darknet::read_names;
using yolod::tests::TemporaryDirectory;
using Labels = std::vector<std::string>;

TEST_CASE("Names: a list, one a line", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto labels = read_names(folder.write("a.names", "traffic light\r\ncar \n\n\n"), 2);
  REQUIRE(labels.ok());
  CHECK(*labels == Labels{"traffic light", "car"});
}

TEST_CASE("Names: a .data file names the list", "[model][unit]") {
  const TemporaryDirectory folder;
  (void)folder.write("a.names", "dog\ncat");
  const auto labels =
      read_names(folder.write("a.data", "classes= 2\ntrain = /x/train.txt\nnames = a.names\nbackup=b\n"), 2);
  REQUIRE(labels.ok());
  CHECK(*labels == Labels{"dog", "cat"});
  const auto broken = read_names(folder.write("b.data", "names=absent.names\n"), 2);
  REQUIRE_FALSE(broken.ok());
  CHECK_THAT(broken.error().message, Contains("b.data: names: ") && Contains("absent.names: no such file"));
}

TEST_CASE("Names: the list that a .data file names is known without reading it", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto list = folder.write("a.names", "dog\ncat");
  const auto data = folder.write("a.data", "classes= 2\nnames = a.names\n");
  CHECK(yolod::model::darknet::list_named_by(data) == list);
  CHECK(yolod::model::darknet::list_named_by(list).empty());
  CHECK(yolod::model::darknet::list_named_by(folder.path() / "missing").empty());
}

TEST_CASE("Names: a label may hold an equals sign", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto labels = read_names(folder.write("a.names", "a=b\nplain\n"), 2);
  REQUIRE(labels.ok());
  CHECK(*labels == Labels{"a=b", "plain"});
}

TEST_CASE("Names: the count must be that of the classes", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.names", "dog\ncat\n");
  CHECK_THAT(read_names(file, 3).error().message, Contains("2 labels, the network has 3 classes"));
  CHECK_FALSE(read_names(file, 1).ok());
  CHECK_FALSE(read_names(folder.write("empty", ""), 1).ok());
  CHECK(read_names("/nonexistent", 1).error().code == yolod::common::ErrorCode::kBadModel);
}

TEST_CASE("Names: what cannot be labels is refused", "[model][unit]") {
  const TemporaryDirectory folder;
  CHECK_FALSE(read_names(folder.write("nul", std::string("a\0b\n", 4)), 1).ok());
  CHECK_FALSE(read_names(folder.write("long", std::string(5'000, 'a')), 1).ok());
}
