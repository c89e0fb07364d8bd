#include "model/sources/labels.hpp"

#include <catch2/catch.hpp>

#include "model/files/read_file.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

using Catch::Matchers::Contains;
using yolod::model::darknet::read_names;
using yolod::tests::TemporaryDirectory;
using Labels = std::vector<std::string>;

TEST_CASE("Names: the list has a label in each line", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto labels = read_names(folder.write("a.names", "traffic light\r\ncar \n\n\n"), 2);
  REQUIRE(labels.ok());
  CHECK(*labels == Labels{"traffic light", "car"});
}

TEST_CASE("Names: a .data file refers to the list", "[model][unit]") {
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

TEST_CASE("Names: list_named_by() finds the list of a .data file without reading the list", "[model][unit]") {
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

TEST_CASE("Names: the number of labels must be the number of classes", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.names", "dog\ncat\n");
  CHECK_THAT(read_names(file, 3).error().message, Contains("2 labels, the network has 3 classes"));
  CHECK_FALSE(read_names(file, 1).ok());
  CHECK_FALSE(read_names(folder.write("empty", ""), 1).ok());
  CHECK(read_names("/nonexistent", 1).error().code == yolod::common::ErrorCode::kBadModel);
}

TEST_CASE("Names: a file that cannot be a list of labels is refused", "[model][unit]") {
  const TemporaryDirectory folder;
  CHECK_FALSE(read_names(folder.write("nul", std::string("a\0b\n", 4)), 1).ok());
  CHECK_FALSE(read_names(folder.write("long", std::string(5'000, 'a')), 1).ok());
}

TEST_CASE("Names: the error for a label that is not UTF-8 has the file and the line", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.names", "dog\ncaf\xE9\ncat\n");
  const std::string expected = file.string() + ":2: \"caf\\xe9\" is not UTF-8: save the file as UTF-8";
  CHECK(read_names(file, 3).error().message == expected);
  CHECK(read_names(file, 0).error().message == expected);
  // For a .data file the error names the list, or the .data file if the mistake is there.
  CHECK(read_names(folder.write("a.data", "classes=3\nnames=a.names\n"), 3).error().message == expected);
  const auto data = folder.write("b.data", "classes=3\ntrain = \xE9.txt\nnames = caf\xE9.names\n");
  CHECK(read_names(data, 3).error().message ==
        data.string() + ":3: \"caf\\xe9.names\" is not UTF-8: save the file as UTF-8");
}

TEST_CASE("Names: the error for the list of the reports has the file and the line", "[model][unit][skips]") {
  const auto cases = yolod::tests::fault_cases();
  if (!cases) {
    WARN("SKIPPED: no fault cases");
    return;
  }
  const auto names = read_names(*cases / "coco_latin1.names", 80);
  REQUIRE_FALSE(names.ok());
  CHECK_THAT(names.error().message, Contains("coco_latin1.names:") && Contains("is not UTF-8"));
  const auto marked = read_names(*cases / "coco_bom.names", 80);
  REQUIRE(marked.ok());
  CHECK(marked->front() == "person");
}

TEST_CASE("Names: a byte order mark is skipped in a list and in a .data file", "[model][unit]") {
  const TemporaryDirectory folder;
  (void)folder.write("a.names",
                     "\xEF\xBB\xBF"
                     "dog\r\ncat\r\n");
  const auto labels = read_names(folder.write("a.data", "\xEF\xBB\xBFnames=a.names\r\n"), 2);
  REQUIRE(labels.ok());
  CHECK(*labels == Labels{"dog", "cat"});
  CHECK(yolod::model::darknet::list_named_by(folder.path() / "a.data") == folder.path() / "a.names");
}

TEST_CASE("Names: the error for a UTF-16 file says UTF-16", "[model][unit]") {
  const TemporaryDirectory folder;
  const std::string text = GENERATE(std::string("\xFF\xFE"
                                                "d\0o\0g\0\n\0",
                                                10),
                                    std::string("\xFE\xFF\0d\0o\0g\0\n", 10));
  const auto file = folder.write("a.names", text);
  CHECK(read_names(file, 1).error().message == file.string() + ": the text is UTF-16; save it as UTF-8");
  CHECK(yolod::model::read_text(file, 100).error().message == read_names(file, 0).error().message);
}

TEST_CASE("Names: a label may be as long as an answer can hold, and no longer", "[model][unit]") {
  const TemporaryDirectory folder;
  CHECK(read_names(folder.write("a.names", std::string(256, 'a')), 1).ok());
  const auto file = folder.write("b.names", "dog\n" + std::string(257, 'a'));
  CHECK(read_names(file, 2).error().message == file.string() + ":2: a label of 257 bytes, at most 256 are allowed");
}
