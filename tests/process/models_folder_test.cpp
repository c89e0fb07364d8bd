// These tests add, change and remove models in server.models_dir while a server runs.
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "common/system/resident_memory.hpp"
#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/load.hpp"
#include "tests/support/promised_time.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {
namespace {

// A server with the model "echo" in its config, and a folder for others.
struct FolderServer {
  FolderServer() { REQUIRE(server.wait_until_ready()); }

  void put(const std::string& model, const std::string& settings) const {
    const auto made = folder.path() / (".new-" + model);
    std::filesystem::create_directories(made);
    std::ofstream(made / "model.yaml") << settings;
    std::filesystem::remove_all(folder.path() / model);
    std::filesystem::rename(made, folder.path() / model);
  }
  void remove(const std::string& model) const { std::filesystem::remove_all(folder.path() / model); }
  // Removes the model, or puts it there with one or two workers, and does the same to `expected`.
  void change(const std::string& model, std::mt19937& random, std::set<std::string>& expected) const {
    if (random() % 3 == 0) {
      remove(model);
      expected.erase(model);
    } else {
      put(model, "identity: {}\nworkers: " + std::to_string(1 + random() % 2) + "\n");
      expected.insert(model);
    }
  }
  [[nodiscard]] std::set<std::string> served() const {
    std::set<std::string> names;
    const auto models = HttpClient(server.endpoint()).get("/v2/models").json();
    for (const auto& name : models.at("models").as_array()) names.emplace(name.as_string());
    return names;
  }
  [[nodiscard]] bool await(const std::set<std::string>& names, milliseconds deadline = kGenerous) const {
    return wait_until([&] { return served() == names; }, deadline);
  }

  const TemporaryDirectory folder;
  Server server{identity_config({{.name = "echo", .workers = 1}}, {"models_dir: " + folder.path().string()})};
};

}  // namespace

TEST_CASE_METHOD(FolderServer, "ModelsFolder: models appear, change and vanish without a restart", "[process]") {
  HttpClient client(server.endpoint());
  put("a", "identity: {}\nworkers: 1\n");
  REQUIRE(await({"echo", "a"}));
  CHECK(is_identity_answer(client.post("/predict?model=a", "body"), "body"));
  put("a", "identity: {}\nworkers: 2\n");
  CHECK(wait_until([&] { return client.get("/v2/models/a/versions/2/ready").status == 200; }));
  put("b", "identity: {}\nwrokers: 1\n");
  CHECK(wait_until([&] { return !server.log_lines_with("unknown key").empty(); }));
  put("b", "identity: {}\n");
  REQUIRE(await({"echo", "a", "b"}));
  server.send_signal(SIGHUP);  // the reload keeps the models of the folder
  CHECK(wait_until([&] { return server.log_lines_with("reload: done").size() >= 4; }));
  CHECK(served() == std::set<std::string>{"echo", "a", "b"});
  remove("a");
  REQUIRE(await({"echo", "b"}));
  CHECK(wait_until([&] {  // when its workers have gone
    return client.get("/v2/models/a").body == R"({"error":"Request for unknown model: 'a' is not found"})";
  }));
  CHECK(client.get("/v2/health/ready").status == 200);
}

TEST_CASE_METHOD(FolderServer, "ModelsFolder: changes at random cost the other models no request", "[process][waits]") {
  std::atomic<bool> ends{false};
  std::atomic<int> failed{0};
  std::atomic<int> answered{0};
  std::thread asks([&] {
    HttpClient client(server.endpoint());
    while (!ends) {
      const std::string body = random_body(2000, static_cast<std::uint64_t>(answered));
      if (!is_identity_answer(client.post("/predict?model=echo", body), body)) ++failed;
      ++answered;
    }
  });
  std::mt19937 random(7);  // NOLINT(*-msc51-cpp): the same changes in each run
  std::set<std::string> expected{"echo"};
  for (int i = 0; i < 50; ++i) {
    change("m" + std::to_string(random() % 6), random, expected);
    std::this_thread::sleep_for(milliseconds(random() % 200));  // changes come at any time
  }
  CHECK(await(expected));
  for (int i = 0; i < 6; ++i) remove("m" + std::to_string(i));
  CHECK(await({"echo"}));
  CHECK(wait_until([&] { return server.workers().size() == 1; }));
  ends = true;
  asks.join();
  CHECK(failed == 0);
  CHECK(answered > 100);
}

// The fault case of the issue: fifty models come, change and go for a minute. YOLOD_TEST_LONG turns it on.
TEST_CASE_METHOD(FolderServer, "ModelsFolder: a minute of changes to fifty models leaves nothing behind",
                 "[process][soak]") {
  if (!is_long_run()) {
    WARN("SKIPPED: YOLOD_TEST_LONG is not set");
    return;
  }
  constexpr int kModels = 50;
  constexpr std::chrono::seconds kDuration{60};
  const auto name_of = [](int number) { return "m" + std::to_string(number); };
  const auto add_and_remove_all = [&] {
    std::set<std::string> all{"echo"};
    for (int i = 0; i < kModels; ++i) {
      put(name_of(i), "identity: {}\nworkers: 1\n");
      all.insert(name_of(i));
    }
    CHECK(await(all, 120s));
    for (int i = 0; i < kModels; ++i) remove(name_of(i));
    CHECK(await({"echo"}, 120s));
    CHECK(wait_until([&] { return server.workers().size() == 1; }));
  };
  // The first time all metrics and pools are made, which the server keeps.
  add_and_remove_all();
  const auto before = baseline(server);
  const auto rss_before = common::own_bytes(server.pid()) / 1024;

  Load load(server.endpoint(), {.connection_count = 2, .target = "/predict?model=echo", .body_bytes_max = 20'000});
  std::mt19937 random(11);  // NOLINT(*-msc51-cpp): the same changes in each run
  std::set<std::string> expected{"echo"};
  std::size_t changes = 0;
  for (const auto end = Clock::now() + kDuration; Clock::now() < end; ++changes) {
    change(name_of(static_cast<int>(random() % kModels)), random, expected);
    std::this_thread::sleep_for(milliseconds(random() % 120));  // changes come at any time
  }
  CHECK(await(expected, 120s));
  for (int i = 0; i < kModels; ++i) remove(name_of(i));
  CHECK(await({"echo"}, 120s));
  CHECK(wait_until([&] { return server.workers().size() == 1; }));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.wrong + counts.lost + counts.hung + counts.resent == 0);
  CHECK(counts.right > 1000);
  check_after_case(server, before);
  const auto rss_after = common::own_bytes(server.pid()) / 1024;
  std::cout << changes << " changes, " << server.log_lines_with("reload: done").size() << " reloads, " << counts.right
            << " requests; memory of the front-end " << rss_before << " KiB before and " << rss_after << " KiB after\n";
  CHECK(rss_after < rss_before + 4096);
}

}  // namespace yolod::tests
