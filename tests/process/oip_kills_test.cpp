// These tests kill workers while requests of the Open Inference Protocol with several inputs are under way: pictures of
// one request, and rows of several requests that a worker computes together. Each input must be answered once, with its
// own result.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"
#include "tests/support/torchscript_files.hpp"

namespace yolod::tests {
namespace oip_kills {
namespace {

// Sends requests until stop(), each client on its own thread and connection. The function makes the request with that
// number, and returns whether the answer is right.
class Clients {
 public:
  using Ask = std::function<bool(HttpClient&, std::uint64_t number)>;

  Clients(const Server& server, std::size_t count, Ask ask) {
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, endpoint = server.endpoint(), ask] {
        HttpClient client(endpoint);
        while (!ends_) {
          if (!ask(client, next_++)) ++wrong_;
          ++answered_;
        }
      });
    }
  }
  ~Clients() { stop(); }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  void stop() {
    ends_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  [[nodiscard]] bool wait_for_answers(std::uint64_t more) const {
    return wait_until([this, end = answered_ + more] { return answered_ >= end; });
  }
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }

 private:
  std::atomic<bool> ends_{false};
  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> wrong_{0};
  std::vector<std::thread> threads_;
};

// Kills a random worker `rounds` times, but never the last worker, and lets the clients get answers in between.
// Returns the pids.
std::vector<pid_t> kill_workers_beside(const Server& server, const Clients& clients, std::size_t rounds) {
  std::vector<pid_t> killed;
  std::mt19937 random(21);  // NOLINT(*-msc51-cpp): the same choices in each run
  while (killed.size() < rounds) {
    REQUIRE(clients.wait_for_answers(1 + random() % 4));
    std::vector<pid_t> alive;
    REQUIRE(wait_until([&] {
      alive = server.worker_pids();
      std::erase_if(alive, [&](pid_t pid) { return std::find(killed.begin(), killed.end(), pid) != killed.end(); });
      return alive.size() > 1;
    }));
    killed.push_back(alive[random() % alive.size()]);
    ::kill(killed.back(), SIGKILL);
  }
  REQUIRE(clients.wait_for_answers(4));
  return killed;
}

std::uint64_t statistic(const boost::json::value& model, const std::string& name) {
  return model.at("inference_stats").at(name).at("count").to_number<std::uint64_t>();
}

std::string with_length(const std::string& bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + bytes;
}

constexpr std::size_t kPictures = 16;

bool ask_for_pictures(HttpClient& client, std::uint64_t number) {
  std::vector<std::uint64_t> crcs;
  std::string bytes;
  for (std::uint64_t i = 0; i < kPictures; ++i) {
    const auto picture = random_body(1 + (number * 37 + i * 701) % 20'000, number * kPictures + i);
    crcs.push_back(std::stoul(crc32_hex(picture), nullptr, 16));
    bytes += with_length(picture);
  }
  const std::string json = R"({"inputs":[{"name":"image","shape":[16,1],"datatype":"BYTES",)"
                           R"("parameters":{"binary_data_size":)" +
                           std::to_string(bytes.size()) + R"(}}],"outputs":[{"name":"crc32"}]})";
  const auto answer = client.post("/v2/models/echo/infer", json + bytes,
                                  {{"Inference-Header-Content-Length", std::to_string(json.size())}});
  if (answer.status != 200) return false;
  const auto answered = answer.json();
  const auto& data = answered.at("outputs").at(0).at("data").as_array();
  return std::equal(data.begin(), data.end(), crcs.begin(), crcs.end(), [](const auto& found, std::uint64_t expected) {
    return found.template to_number<std::uint64_t>() == expected;
  });
}

// The scripted network takes rows of five numbers and an index for each row.
constexpr std::size_t kBodies = 12;

std::string rows_of_request(std::size_t number) {
  const std::size_t rows = 1 + number % 3;
  std::string values;
  std::string indices;
  for (std::size_t row = 0; row < rows; ++row) {
    values += (row == 0 ? "[" : ",[") + std::to_string(number) + ",-1," + std::to_string(row) + ",0,1]";
    indices += (row == 0 ? "" : ",") + std::to_string((number + row) % 10);
  }
  const auto shown = std::to_string(rows);
  return R"({"inputs":[{"name":"values","shape":[)" + shown + R"(,5],"datatype":"FP32","data":[)" + values +
         R"(]},{"name":"index","shape":[)" + shown + R"(],"datatype":"INT64","data":[)" + indices + "]}]}";
}

// Returns whether both answers have the same outputs. Rows of a larger batch may differ in the last digits.
bool have_same_outputs(const boost::json::value& a, const boost::json::value& b) {
  const auto& ones = a.at("outputs").as_array();
  const auto& others = b.at("outputs").as_array();
  return std::equal(ones.begin(), ones.end(), others.begin(), others.end(), [](const auto& one, const auto& other) {
    if (one.at("name") != other.at("name") || one.at("shape") != other.at("shape")) return false;
    const auto& left = one.at("data").as_array();
    const auto& right = other.at("data").as_array();
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const auto& x, const auto& y) {
      if (!x.is_number()) return x == y;
      return std::abs(x.template to_number<double>() - y.template to_number<double>()) < 1e-5;
    });
  });
}

}  // namespace
}  // namespace oip_kills

TEST_CASE("OipKills: each of 16 pictures of a request is answered once and rightly while workers are killed",
          "[process]") {
  using namespace oip_kills;
  Server server(identity_config({{.workers = 3, .delay = 3ms, .keys = {"batch: {max_size: 4}"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Clients clients(server, 4, ask_for_pictures);
  const auto killed = kill_workers_beside(server, clients, 25);
  clients.stop();
  CHECK(clients.wrong() == 0);
  const auto stats = HttpClient(server.endpoint()).get("/v2/models/echo/stats").json().at("model_stats").at(0);
  CHECK(statistic(stats, "success") == clients.answered());
  CHECK(statistic(stats, "fail") == 0);
  CHECK(stats.at("inference_count").to_number<std::uint64_t>() == kPictures * clients.answered());
  CHECK(server.metric("yolod_replays_total") > 0);
  CHECK(server.wait_until_replaced(killed));
  check_after_case(server, before, killed);
}

TEST_CASE("OipKills: rows of several requests that a worker computes together survive its death", "[process][torch]") {
  using namespace oip_kills;
  for (const auto& reason : {reason_to_skip_networks(), reason_to_skip_torchscript()}) {
    if (reason.empty()) continue;
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto folder = torchscript_files({"pair"});
  Server server(server_config(
      "  - name: joined\n    task: tensor\n    workers: 2\n    torchscript: {file: " + (folder / "pair.pt").string() +
      "}\n    inputs: [{name: values, shape: [-1, 5]}, {name: index, type: INT64, shape: [-1]}]\n"
      "    batch: {max_size: 8, max_rows: 16, max_wait: 5ms}\n"));
  REQUIRE(server.wait_until_ready());
  std::vector<std::string> bodies;
  std::vector<boost::json::value> expected;
  std::uint64_t rows = 0;
  HttpClient first(server.endpoint());
  for (std::size_t i = 0; i < kBodies; ++i) {
    bodies.push_back(rows_of_request(i));
    const auto answer = first.post("/v2/models/joined/infer", bodies.back());
    CAPTURE(answer);
    REQUIRE(answer.status == 200);
    expected.push_back(answer.json());
    rows += 1 + i % 3;
  }
  first.close();
  std::atomic<std::uint64_t> right_rows{0};
  Clients clients(server, 6, [&](HttpClient& client, std::uint64_t number) {
    const std::size_t i = number % kBodies;
    const auto answer = client.post("/v2/models/joined/infer", bodies[i]);
    if (answer.status != 200 || !have_same_outputs(answer.json(), expected[i])) return false;
    right_rows += 1 + i % 3;
    return true;
  });
  const auto killed = kill_workers_beside(server, clients, 25);
  clients.stop();
  CHECK(clients.wrong() == 0);
  const auto stats = HttpClient(server.endpoint()).get("/v2/models/joined/stats").json().at("model_stats").at(0);
  const std::uint64_t requests = kBodies + clients.answered();
  CHECK(statistic(stats, "success") == requests);
  CHECK(statistic(stats, "fail") == 0);
  CHECK(stats.at("inference_count").to_number<std::uint64_t>() == rows + right_rows);
  CHECK(stats.at("execution_count").to_number<std::uint64_t>() < requests);
  CHECK(server.metric("yolod_replays_total") > 0);
  CHECK(server.wait_until_replaced(killed));
  for (const pid_t pid : killed) CHECK(server.death_lines(pid).size() == 1);
}

}  // namespace yolod::tests
