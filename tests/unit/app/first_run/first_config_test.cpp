#include "app/first_run/first_config.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "common/config/schema.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::first_run {
namespace {

// Writes the files of a Darknet network with two classes.
void write_network(const tests::TemporaryDirectory& folder, const std::string& name) {
  (void)folder.write(name + ".cfg", "[net]\nwidth=32\nheight=32\n\n[convolutional]\nfilters=21\n\n[yolo]\nclasses=2\n");
  std::string weights(20, '\0');
  weights[4] = 2;  // version 0.2, as Darknet writes it
  (void)folder.write(name + ".weights", weights + std::string(400, 'w'));
  (void)folder.write(name + ".names", "cat\ndog\n");
}

TEST_CASE("FirstConfig: a folder with a network gets a config that yolod reads, and never another", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  const std::string name = GENERATE("lights", "true", "it's a name");
  write_network(folder, name);
  REQUIRE(write_first_config(folder.path()) == 0);
  const auto file = folder.path() / "system.yaml";
  const auto outcome = common::load_config(file, {}, {});
  for (const auto& problem : outcome.problems) UNSCOPED_INFO(common::to_string(problem));
  REQUIRE(outcome.config.has_value());
  REQUIRE(outcome.config->models.size() == 1);
  const auto& source = std::get<common::DarknetSource>(outcome.config->models[0].source);
  CHECK(source.cfg == folder.path() / (name + ".cfg"));
  CHECK(source.names == folder.path() / (name + ".names"));
  const auto text = tests::read_file(file);
  CHECK(write_first_config(folder.path()) == 1);
  CHECK(tests::read_file(file) == text);
}

TEST_CASE("FirstConfig: a folder without networks, or that cannot be written, gets no file", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  CHECK(write_first_config(folder.path() / "missing") == 2);
  CHECK(write_first_config(folder.path()) == 1);
  (void)folder.write("labels.names", "cat\n");
  CHECK(write_first_config(folder.path()) == 1);
  CHECK(folder.names() == std::vector<std::string>{"labels.names"});
  CHECK(write_first_config("/proc/self") == 1);
}

TEST_CASE("FirstConfig: a file whose name is no text is left out, and the config names the problem", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  write_network(folder, "lights");
  (void)folder.write("bad\x01name.names", "cat\n");
  (void)folder.write("rest.weights", std::string("\0\0\0\0\2", 5) + std::string(15, '\0') + "x");
  REQUIRE(write_first_config(folder.path()) == 0);
  CHECK_THAT(tests::read_file(folder.path() / "system.yaml"), Catch::Contains("# Not in this file:"));
}

TEST_CASE("FirstConfig: a config has at most 64 models", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  for (int i = 0; i < 66; ++i) write_network(folder, "n" + std::to_string(i));
  REQUIRE(write_first_config(folder.path()) == 0);
  const auto outcome = common::load_config(folder.path() / "system.yaml", {}, {});
  REQUIRE(outcome.config.has_value());
  CHECK(outcome.config->models.size() == 64);
  CHECK_THAT(tests::read_file(folder.path() / "system.yaml"), Catch::Contains("2 more are in this folder"));
}

}  // namespace
}  // namespace yolod::app::first_run
