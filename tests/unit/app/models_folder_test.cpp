#include "app/models_folder.hpp"

#include <sys/stat.h>

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace yolod::app {
namespace {

using namespace std::chrono_literals;
using common::Error;
using common::ErrorCode;
using common::Outcome;

// A folder of models whose loads and unloads end at once, with `result`.
struct FolderBench {
  void put(const std::string& model, const std::string& settings) {
    std::filesystem::create_directories(folder.path() / model);
    std::ofstream(folder.path() / model / "model.yaml") << settings;
  }
  // Runs the event loop until there are `count` calls. Returns false if they do not come.
  bool await_calls(std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (calls.size() < count && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_for(20ms);
    }
    return calls.size() == count;
  }
  // Runs the event loop for long enough that a change would have been noticed.
  void await_nothing() {
    io.restart();
    io.run_for(4 * ModelsFolder::kSettleTime);
  }
  void end(const std::string& call, ModelsFolder::Done done) {
    calls.push_back(call);
    boost::asio::post(io, [this, done = std::move(done)] { done(result); });
  }
  std::vector<std::string> names_added(common::Config& config) {
    watched.add_models(config);
    std::vector<std::string> names;
    for (const auto& model : config.models) names.push_back(model.name);
    return names;
  }

  const tests::TemporaryDirectory folder;
  boost::asio::io_context io;
  std::vector<std::string> calls;
  Outcome<void> result;
  ModelsFolder watched{
      io,
      folder.path(),
      {[] { return true; }, [this](const std::string& model, auto done) { end("load " + model, std::move(done)); },
       [this](const std::string& model, auto done) { end("unload " + model, std::move(done)); }}};
};

TEST_CASE("ModelsFolder: a folder that appears, changes and vanishes is loaded, loaded again and unloaded",
          "[app][unit]") {
  FolderBench bench;
  bench.put("a", "identity: {}");
  REQUIRE(bench.watched.start());
  REQUIRE(bench.await_calls(1));
  bench.put("b", "identity: {}");
  REQUIRE(bench.await_calls(2));
  bench.put("a", "identity: {}\nworkers: 2");
  REQUIRE(bench.await_calls(3));
  std::filesystem::remove_all(bench.folder.path() / "b");
  REQUIRE(bench.await_calls(4));
  CHECK(bench.calls == std::vector<std::string>{"load a", "load b", "load a", "unload b"});
  bench.await_nothing();
  CHECK(bench.calls.size() == 4);
}

TEST_CASE("ModelsFolder: a model that cannot be loaded is tried again after a change alone", "[app][unit]") {
  FolderBench bench;
  bench.result = Error{ErrorCode::kBadModel, "its weights are short"};
  bench.put("a", "identity: {}");
  REQUIRE(bench.watched.start());
  REQUIRE(bench.await_calls(1));
  bench.await_nothing();
  CHECK(bench.calls.size() == 1);
  bench.result = Error{ErrorCode::kNotReady, "another reload is under way"};
  bench.put("a", "identity: {}\nworkers: 2");
  REQUIRE(bench.await_calls(3));  // without another change
  bench.result = {};
}

TEST_CASE("ModelsFolder: a reload gets the models of the folder that have no mistake", "[app][unit]") {
  FolderBench bench;
  bench.put("good", "identity: {delay: 5ms}\ncanary: {image: photo.jpg}");
  bench.put("named", "name: x\nidentity: {}");
  bench.put("wrong", "identity: {}\nwrokers: 2");
  bench.put("taken", "identity: {}");
  bench.put("bad name", "identity: {}");
  bench.put(".hidden", "identity: {}");
  std::filesystem::create_directories(bench.folder.path() / "empty");
  common::Config config;
  config.models.resize(1);
  config.models[0].name = "taken";
  CHECK(bench.names_added(config) == std::vector<std::string>{"taken", "good"});
  CHECK(config.models[1].canary.image == bench.folder.path() / "good" / "photo.jpg");
}

TEST_CASE("ModelsFolder: the settings of all models are read in a turn for each model", "[app][unit]") {
  FolderBench bench;
  for (const char* const name : {"a", "b", "c"}) bench.put(name, "identity: {}\nworkers: 2");
  bench.put("wrong", "identity: {}\nwrokers: 2");
  bool is_read = false;
  bench.watched.read_models([&] { is_read = true; });
  std::size_t turns = 0;
  for (bench.io.restart(); !is_read && turns < 100; ++turns) bench.io.poll_one();
  CHECK(turns == 5);
  bench.put("a", "identity: {}\nworkers: 3");  // after it was read
  std::filesystem::remove_all(bench.folder.path() / "b");
  bench.put("d", "identity: {}\nworkers: 4");
  common::Config config;
  CHECK(bench.names_added(config) == std::vector<std::string>{"a", "c", "d"});
  CHECK(config.models[0].workers == 2);
  CHECK(config.models[2].workers == 4);
  common::Config again;  // the settings that were read are used once
  CHECK(bench.names_added(again) == std::vector<std::string>{"a", "c", "d"});
  CHECK(again.models[0].workers == 3);
}

TEST_CASE("ModelsFolder: a folder without settings is recognised by its files before it is loaded", "[app][unit]") {
  FolderBench bench;
  const auto folder = bench.folder.path() / "lights";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "net.cfg") << "[net]\nwidth=32\n[yolo]\nclasses=2\n";
  std::ofstream(folder / "net.names") << "red\ngreen\n";
  std::string weights(400'000, '\0');  // several steps
  weights[4] = 2;
  std::ofstream(folder / "net.weights") << weights;
  common::Config before;
  CHECK(bench.names_added(before).empty());
  REQUIRE(bench.watched.start());
  REQUIRE(bench.await_calls(1));
  CHECK(bench.calls.front() == "load lights");
  common::Config config;
  REQUIRE(bench.names_added(config) == std::vector<std::string>{"lights"});
  const auto& source = std::get<common::DarknetSource>(config.models[0].source);
  CHECK(source.weights == folder / "net.weights");
  CHECK(source.names == folder / "net.names");
}

TEST_CASE("ModelsFolder: a folder as Triton has it is a model, and a new version is loaded", "[app][unit]") {
  FolderBench bench;
  const auto folder = bench.folder.path() / "triton";
  std::filesystem::create_directories(folder / "1");
  std::ofstream(folder / "config.pbtxt")
      << "backend: \"pytorch\" max_batch_size: 4 input { name: \"x\" data_type: TYPE_FP32 dims: 3 }";
  std::ofstream(folder / "1" / "model.pt") << "x";
  REQUIRE(bench.watched.start());
  REQUIRE(bench.await_calls(1));
  common::Config config;
  REQUIRE(bench.names_added(config) == std::vector<std::string>{"triton"});
  CHECK(std::get<common::TorchScriptSource>(config.models[0].source).file == folder / "1" / "model.pt");
  std::ofstream(folder / "1" / "model.pt") << "another";
  REQUIRE(bench.await_calls(2));
  std::filesystem::create_directories(folder / "2");
  std::ofstream(folder / "2" / "model.pt") << "x";
  REQUIRE(bench.await_calls(3));
  common::Config again;
  REQUIRE(bench.names_added(again).size() == 1);
  CHECK(std::get<common::TorchScriptSource>(again.models[0].source).file == folder / "2" / "model.pt");
}

TEST_CASE("ModelsFolder: a folder that does not exist is an error", "[app][unit]") {
  boost::asio::io_context io;
  ModelsFolder watched(io, "/nowhere/models", {});
  const auto started = watched.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message == "server.models_dir: there is no folder /nowhere/models");
}

// The settings are read on the thread of the event loop.
TEST_CASE("ModelsFolder: settings that are no regular file are a mistake of that model alone", "[app][unit]") {
  FolderBench bench;
  bench.put("good", "identity: {}");
  for (const char* const model : {"fifo", "dangling", "looping", "triton"}) {
    std::filesystem::create_directories(bench.folder.path() / model);
    std::ofstream(bench.folder.path() / model / "net.pt") << "PK\x03\x04 net/constants.pkl";
  }
  REQUIRE(::mkfifo((bench.folder.path() / "fifo" / "model.yaml").c_str(), 0600) == 0);
  REQUIRE(::mkfifo((bench.folder.path() / "triton" / "config.pbtxt").c_str(), 0600) == 0);
  std::filesystem::create_symlink("nowhere", bench.folder.path() / "dangling" / "model.yaml");
  std::filesystem::create_symlink("model.yaml", bench.folder.path() / "looping" / "model.yaml");
  common::Config config;
  CHECK(bench.names_added(config) == std::vector<std::string>{"good"});
}

TEST_CASE("ModelsFolder: a folder with too many entries is left alone", "[app][unit]") {
  FolderBench bench;
  bench.put("a", "identity: {}");
  REQUIRE(bench.watched.start());
  REQUIRE(bench.await_calls(1));
  for (int i = 0; i < 1024; ++i) std::ofstream(bench.folder.path() / ("file" + std::to_string(i)));
  bench.put("b", "identity: {}");
  bench.await_nothing();
  CHECK(bench.calls == std::vector<std::string>{"load a"});  // and "a" is not unloaded
  common::Config config;
  CHECK(bench.names_added(config) == std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace yolod::app
