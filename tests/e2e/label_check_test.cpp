// These tests run yolodctl label-check from its command line.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {
namespace {

using Catch::Matchers::Contains;

// Two folders: three pictures, which the command does not decode, and no labels yet.
struct LabelFolders {
  TemporaryDirectory images;
  TemporaryDirectory labels;
  std::string names = images.write("my.names", "cat\ndog\n").string();

  LabelFolders() {
    for (const auto* name : {"a.jpg", "b.jpg", "c.png"}) (void)images.write(name, "");
  }
  [[nodiscard]] ProgramResult check() const {
    return run_program(
        {"yolodctl", "label-check", "--images", images.path(), "--labels", labels.path(), "--names", names});
  }
};

}  // namespace

TEST_CASE("Yolodctl label-check: correct labels are exit code 0 and a summary", "[e2e]") {
  const LabelFolders folders;
  (void)folders.labels.write("a.txt", "0 0.5 0.5 0.2 0.2\n1 0.2 0.2 0.1 0.1\n");
  (void)folders.labels.write("b.txt", "1 0.5 0.5 0.2 0.2\n");
  (void)folders.labels.write("classes.txt", "cat\ndog\n");
  const auto result = folders.check();
  CAPTURE(result.errors);
  CHECK(result.exit == exited(0));
  CHECK(result.output ==
        "3 pictures, 2 label files with 3 labels, 2 classes: 0 mistakes\n"
        "1 pictures have no label file: training takes them for pictures without objects\n");
}

TEST_CASE("Yolodctl label-check: one line for each mistake, and exit code 1", "[e2e]") {
  const LabelFolders folders;
  (void)folders.labels.write("a.txt", "0 0.5 0.5 0.2 0.2\n2 0.2 0.2 0.1 0.1\n");
  (void)folders.labels.write("b.txt", "");
  (void)folders.labels.write("c.txt", "1 320 200 40 30\n1 0.95 0.5 0.3 0.1\n");
  (void)folders.labels.write("d.txt", "1 0.5 0.5 0.3 0.1\n");
  const auto result = folders.check();
  CHECK(result.exit == exited(1));
  CHECK_THAT(result.output, Contains("a.txt:2: class 2: there are 2, counted from 0\n") &&
                                Contains("b.txt:1: there is no label in the file") &&
                                Contains("c.txt:1: a box at 320, 200 of 40 x 30, as in pixels") &&
                                Contains("c.txt:2: the box reaches out of the picture") &&
                                Contains("d.txt:1: no picture has the name of this label file") &&
                                Contains("2 classes: 5 mistakes\n"));
}

TEST_CASE("Yolodctl label-check: unreadable input is exit code 2", "[e2e]") {
  const LabelFolders folders;
  const auto check = [&](const std::string& images, const std::string& labels, const std::string& names) {
    return run_program({"yolodctl", "label-check", "--images", images, "--labels", labels, "--names", names});
  };
  const std::string images = folders.images.path();
  const std::string labels = folders.labels.path();
  CHECK(check(labels, labels, folders.names).exit == exited(2));
  CHECK(check(images, images + "/absent", folders.names).exit == exited(2));
  CHECK_THAT(check(images, labels, images + "/absent").errors, Contains("yolodctl: --names: "));
}

}  // namespace yolod::tests
