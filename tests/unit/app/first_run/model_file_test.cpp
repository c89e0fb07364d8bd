#include "app/first_run/model_file.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace yolod::app::first_run {
namespace {

using common::Task;
using namespace std::string_literals;

std::optional<ModelFile> look(const std::string& name, const std::string& bytes) {
  return recognise(name, bytes, bytes, bytes.size());
}

void check_kind(const std::string& bytes, FileKind kind) {
  const auto file = look("a", bytes);
  REQUIRE(file.has_value());
  CHECK(file->kind == kind);
}

TEST_CASE("ModelFile: the content decides the kind, whatever the name is", "[app][unit]") {
  check_kind("# made by hand\n\n[net]\nwidth=8\n", FileKind::kCfg);
  check_kind("\0\0\0\0\2\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0"s, FileKind::kDarknetWeights);
  check_kind("PK\x03\x04...net/data.pkl...net/constants.pkl", FileKind::kTorchScript);
  check_kind("PK\x03\x04...net/data.pkl...net/data/0", FileKind::kCheckpoint);
  check_kind("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", FileKind::kCheckpoint);
  check_kind("red light\r\nyellow light\r\n", FileKind::kLabels);
}

TEST_CASE("ModelFile: other files are not model files", "[app][unit]") {
  for (const auto& bytes :
       {""s, "\n"s, "PK\x03\x04 readme.txt"s, "# Title\n\nText.\n"s, "models:\n  - name: a\n"s, "#!/bin/sh\nexit 0\n"s,
        "a\n\nb\n"s, "a\na\n"s, "classes=6\nnames=a.names\n"s, "{\"a\": 1}\n"s, "\xFF\xD8\xFF\xE0 JFIF"s,
        "[convolutional]\n[net]\n"s, "\0\0\0\0\7\0\0\0\5\0\0\0\0\0\0\0"s, std::string(101, 'a') + '\n', "caf\xE9\n"s}) {
    CAPTURE(bytes);
    CHECK_FALSE(look("a", bytes).has_value());
  }
}

TEST_CASE("ModelFile: a file called .names is a list though its labels look like another format", "[app][unit]") {
  const auto file = look("a.names", "a: b\na: b\n#c\n");
  REQUIRE(file.has_value());
  CHECK(file->classes == 3);
  CHECK_FALSE(look("a.names", "a\n\nb\n").has_value());
}

TEST_CASE("ModelFile: a cfg tells its task and its number of classes", "[app][unit]") {
  const auto detector =
      look("a", "[net]\n[convolutional]\nfilters=33\n[yolo]\nclasses = 6\n[Gaussian_yolo]\nclasses=6\n");
  REQUIRE(detector.has_value());
  CHECK(detector->task == Task::kDetect);
  CHECK(detector->classes == 6);
  const auto classifier = look("a", "[net]\n[convolutional]\nfilters=8\n[connected]\noutput=10\n[softmax]\ngroups=1\n");
  REQUIRE(classifier.has_value());
  CHECK(classifier->task == Task::kClassify);
  CHECK(classifier->classes == 10);
}

TEST_CASE("ModelFile: the metadata of a TorchScript file tells its task", "[app][unit]") {
  const auto task_of = [](const std::string& metadata) {
    return look("a.pt", "PK\x03\x04 net/extra/config.txt" + metadata + " net/constants.pkl")->task;
  };
  CHECK(task_of(R"({"task": "classify"})") == Task::kClassify);
  CHECK(task_of(R"({"stride": 32, "task":"image"})") == Task::kImage);
  CHECK(task_of(R"({"task": "segment"})") == Task::kDetect);
  CHECK(task_of("{}") == Task::kDetect);
  CHECK(task_of("{\"task\"") == Task::kDetect);
}

TEST_CASE("ModelFile: a large text is examined in small steps", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  const std::string lines(1U << 20U, '\n');
  std::string labels;
  for (int i = 0; labels.size() < 500'000; ++i) labels += "label " + std::to_string(i) + "\n";
  folder.write("blank.txt", lines);
  folder.write("long.txt", std::string(1U << 20U, 'a'));
  folder.write("many.names", labels);
  folder.write("net.pt", "PK\x03\x04" + std::string(100'000, '/') + "/extra/" + std::string(5'000, ' ') +
                             R"("task": "image")" + std::string(300'000, '/') + "/constants.pkl");
  ModelFileSearch search(folder.path());
  int steps = 0;
  auto longest = std::chrono::steady_clock::duration::zero();
  for (bool done = false; !done; ++steps) {
    const auto start = std::chrono::steady_clock::now();
    done = *search.step(16 * 1024);
    longest = std::max(longest, std::chrono::steady_clock::now() - start);
  }
  INFO("longest step: " << std::chrono::duration_cast<std::chrono::microseconds>(longest).count() << " us");
  CHECK(steps > 200);
  REQUIRE(search.files().size() == 2);
  CHECK(search.files()[0].name == "many.names");
  CHECK(search.files()[0].classes > 30'000);
  CHECK(search.files()[1].kind == FileKind::kTorchScript);
  CHECK(search.files()[1].task == Task::kImage);
}

TEST_CASE("ModelFile: the files of a folder are found by name, and its subfolders are ignored", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  folder.write("b.pt", "PK\x03\x04" + std::string(3U << 20U, '.') +
                           "net/constants.pkl");  // the end of this file is far from its beginning
  folder.write("a.cfg", "[net]\n");
  folder.write("photo.jpg", "\xFF\xD8\xFF\xE0");
  std::filesystem::create_directory(folder.path() / "inner.cfg");
  std::filesystem::create_symlink("nowhere", folder.path() / "broken.cfg");
  const auto files = find_model_files(folder.path());
  REQUIRE(files.ok());
  REQUIRE(files->size() == 2);
  CHECK(files->at(0).name == "a.cfg");
  CHECK(files->at(1).name == "b.pt");
  CHECK(files->at(1).kind == FileKind::kTorchScript);
  CHECK_FALSE(find_model_files(folder.path() / "absent").ok());
}

}  // namespace
}  // namespace yolod::app::first_run
