#include "model/eval/label_check.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "model/eval/labelled_folder.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace yolod;
using Catch::Matchers::Contains;
using model::eval::label_mistakes;

namespace {

// Returns the only mistake of a file, for a model with two classes.
model::eval::LabelMistake mistake(const std::string& text) {
  const auto mistakes = label_mistakes(text, 2);
  REQUIRE(mistakes.size() == 1);
  return mistakes.front();
}

}  // namespace

TEST_CASE("Label check: valid labels have no mistakes", "[model][unit]") {
  CHECK(label_mistakes("0 0.5 0.5 1 1\n1 0.25 0.5 0.1 0.2\n", 2).empty());
  // Rounding moves the box slightly over the edge.
  CHECK(label_mistakes("0 0.9 0.5 0.2001 0.2\n", 2).empty());
}

TEST_CASE("Label check: the error for each usual mistake has its line", "[model][unit]") {
  CHECK_THAT(mistake("0 320 200 30 40").what, Contains("as in pixels"));
  CHECK_THAT(mistake("0 0.5 0.5 1 1\n2 0.5 0.5 0.1 0.1").what, Contains("class 2: there are 2"));
  CHECK(mistake("0 0.5 0.5 1 1\n2 0.5 0.5 0.1 0.1").line == 2);
  CHECK_THAT(mistake("").what, Contains("no label in the file"));
  CHECK_THAT(mistake("\n \n").what, Contains("no label in the file"));
  CHECK_THAT(mistake("1 0.95 0.5 0.3 0.1").what,
             Contains("reaches out of the picture") && Contains("from 0.800 to 1.100"));
  CHECK_THAT(mistake("1 0.5 0.02 0.3 0.1").what, Contains("reaches out of the picture"));
  CHECK_THAT(mistake("1 0.5 0.5 0 0.1").what, Contains("no area"));
  CHECK_THAT(mistake("1 0.5 0.5 0.1").what, Contains("fewer than 5"));
  CHECK_THAT(mistake("dog 0.5 0.5 0.1 0.1").what, Contains("a class number is wanted"));
  const auto twice = mistake("0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1\n\n0 0.5 0.5 0.1 0.1");
  CHECK(twice.line == 4);
  CHECK_THAT(twice.what, Contains("the same box as in line 1"));
}

TEST_CASE("Label check: all mistakes of a file are reported, in the order of its lines", "[model][unit]") {
  const auto mistakes = label_mistakes("5 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.1 0.1\n0 9 9 9 9\nx\n", 2);
  REQUIRE(mistakes.size() == 3);
  CHECK(mistakes[0].line == 1);
  CHECK(mistakes[1].line == 3);
  CHECK(mistakes[2].line == 4);
}

TEST_CASE("Labelled folder: pictures are sorted by name, and other files are ignored", "[model][unit]") {
  const tests::TemporaryDirectory folder;
  for (const auto* name : {"b.JPG", "a.png", "notes.txt", "c.webp"}) (void)folder.write(name, "");
  const auto pictures = model::eval::pictures_in(folder.path());
  REQUIRE(pictures.ok());
  REQUIRE(pictures->size() == 3);
  CHECK((*pictures)[0].filename() == "a.png");
  CHECK(model::eval::label_file_of((*pictures)[1], "labels") == "labels/b.txt");
  CHECK_FALSE(model::eval::pictures_in(folder.path() / "absent").ok());
}
