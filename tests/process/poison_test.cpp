// Fault case 21: an image kills every worker that takes it.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

std::int64_t queued_count(const Server& server) {
  return server.status().at("models").at(0).at("queue").at("depth").as_int64();
}

std::size_t deaths_told(const Server& server) { return server.log_lines_with("SIGSEGV").size(); }

// Stops all workers. Requests that are posted during its lifetime wait until let_go_with() and then form whole
// batches. The first of them may already be in a worker's lane, behind the batch that the stopped worker has.
class HeldWorkers {
 public:
  explicit HeldWorkers(Server& server) : server_(server), workers_(server.worker_pids()) {
    for (const pid_t worker : workers_) ::kill(worker, SIGSTOP);
    ahead_.emplace(server.endpoint(), workers_.size());
    REQUIRE(wait_until([&] { return queued_count(server_) == 0 && all_are_busy(); }));
    handed_out_ = handed_out();
  }
  void let_go_with(std::int64_t posted) {
    REQUIRE(wait_until([&] { return queued_count(server_) + handed_out() - handed_out_ == posted; }));
    for (const pid_t worker : workers_) ::kill(worker, SIGCONT);
    CHECK(ahead_->finish_and_list_wrong() == kNoneWrong);
  }

 private:
  [[nodiscard]] std::int64_t handed_out() const {
    return static_cast<std::int64_t>(server_.metric("yolod_batch_size_sum"));
  }
  [[nodiscard]] bool all_are_busy() const {
    const auto workers = server_.workers();
    return std::all_of(workers.begin(), workers.end(), [](const auto& worker) { return worker.state == "busy"; });
  }

  Server& server_;
  std::vector<pid_t> workers_;
  std::optional<InFlight> ahead_;
  std::int64_t handed_out_{0};
};

// With these timeouts a slow machine refuses no request for waiting too long.
const std::vector<std::string> kPatientModel{"hang_timeout: 10m", "queue: {timeout: 10m}", "request_timeout: 10m"};

void post_on_its_own(std::vector<HttpClient>& clients, const Server& server, const std::string& body) {
  clients.emplace_back(server.endpoint());
  REQUIRE(clients.back().connect());
  REQUIRE(clients.back().write(serialise({"POST", "/predict", {}, body})));
}

// Stops the server's only worker. Requests that are posted during its lifetime wait until let_go_with() and then form
// one batch.
class HeldWorker {
 public:
  explicit HeldWorker(Server& server) : server_(server), worker_(server.worker_pids().at(0)) {
    ::kill(worker_, SIGSTOP);
    ahead_.emplace(server.endpoint(), 1);
    REQUIRE(server.wait_for_worker_in("busy") == worker_);
  }
  void let_go_with(std::int64_t waiting) {
    REQUIRE(wait_until([&] { return queued_count(server_) == waiting; }));
    ::kill(worker_, SIGCONT);
    CHECK(ahead_->finish_and_list_wrong() == kNoneWrong);
  }

 private:
  Server& server_;
  pid_t worker_;
  std::optional<InFlight> ahead_;
};

}  // namespace

TEST_CASE("Poison: a poison costs two workers and gets 500, then 422 at once, and its neighbours get their answers",
          "[process][case21]") {
  Server server(identity_config({{.workers = 2, .delay = 20ms, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const std::string poison = "FAULT:segv 1";
  {
    Load neighbours(server.endpoint(), {.connection_count = 6, .body_bytes_max = 5'000});
    REQUIRE(neighbours.wait_for_answers(20));
    HttpClient client(server.endpoint());
    const auto killed = client.post("/predict", poison);
    CHECK(killed.status == 500);
    CHECK(killed.error_code() == "worker_crashed");
    CHECK(deaths_told(server) == 2);
    CHECK(server.log_lines_with("is quarantined").size() == 1);

    for (int i = 0; i < 5; ++i) {
      const auto refused = client.post("/predict", poison);
      CHECK(refused.status == 422);
      CHECK(refused.error_code() == "quarantined");
    }
    // The server judges another image of the same kind separately.
    CHECK(client.post("/predict", "FAULT:segv 2").status == 500);
    CHECK(server.metric("yolod_quarantined_total") == 2);
    CHECK(deaths_told(server) == 4);
    CHECK(server.wait_until_ready());
    REQUIRE(neighbours.wait_for_answers(20));
    const auto counts = neighbours.stop();
    CHECK(counts.right == counts.answered);
    CHECK(counts.incidents.empty());
  }
  CHECK(deaths_told(server) == 4);
  check_after_case(server, before);
}

TEST_CASE(
    "Poison: an image that makes a device unusable costs two workers, whose log lines name it, and then is refused",
    "[process][case21]") {
  Server server(identity_config({{.workers = 2, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    HttpClient client(server.endpoint());
    CHECK(client.post("/predict", "FAULT:device").status == 500);
    CHECK(client.post("/predict", "FAULT:device").status == 422);
    CHECK(server.log_lines_with("cpu does not compute any more: FAULT:device").size() == 2);
    CHECK(server.log_lines_with("exited: its device computes no more").size() == 2);
    CHECK(server.metric("yolod_worker_restarts_total", {{"reason", "device_lost"}}) == 2);
    CHECK(client.post("/predict", "an innocent one").status == 200);
  }
  REQUIRE(server.wait_until_ready());
  check_after_case(server, before);
}

TEST_CASE("Poison: a reload gives a quarantined image another chance", "[process][case21]") {
  Server server(identity_config({{.workers = 2, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const std::string poison = "FAULT:segv again";
  for (int generation = 1; generation <= 2; ++generation) {
    CAPTURE(generation);
    HttpClient client(server.endpoint());
    CHECK(client.post("/predict", poison).status == 500);
    CHECK(deaths_told(server) == 2U * static_cast<unsigned>(generation));
    CHECK(client.post("/predict", poison).status == 422);
    REQUIRE(server.wait_until_ready());
    if (generation == 2) break;
    server.send_signal(SIGHUP);
    REQUIRE(wait_until([&] { return server.log_lines_with("reload: done").size() == 1; }));
    CHECK(server.status().at("models").at(0).at("generation").as_int64() == 2);
  }
  CHECK(deaths_told(server) == 4);
  CHECK(server.metric("yolod_quarantined_total") == 2);
  check_after_case(server, before);
}

TEST_CASE("Poison: copies that wait together kill no more workers than one, and all get an answer",
          "[process][case21]") {
  Server server(identity_config({{.workers = 1, .faults = true, .keys = kPatientModel}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  std::vector<int> statuses;
  {
    HeldWorker worker(server);
    std::vector<HttpClient> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back(server.endpoint());
      REQUIRE(clients.back().connect());
      REQUIRE(clients.back().write(serialise({"POST", "/predict", {}, "FAULT:segv many"})));
    }
    worker.let_go_with(4);
    for (auto& client : clients) statuses.push_back(client.read_answer().status);
  }
  std::sort(statuses.begin(), statuses.end());
  CAPTURE(statuses);
  CHECK(std::all_of(statuses.begin(), statuses.end(), [](int status) { return status == 422 || status == 500; }));
  CHECK(statuses.back() == 500);
  CHECK(deaths_told(server) == 2);
  check_after_case(server, before);
}

TEST_CASE("Poison: a request that only shared a batch with a poison gets its answer", "[process][case21]") {
  Server server(identity_config({{.workers = 1, .faults = true, .keys = kPatientModel}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    HeldWorker worker(server);
    InFlight beside(server.endpoint(), 3);
    HttpClient client(server.endpoint());
    REQUIRE(client.connect());
    REQUIRE(client.write(serialise({"POST", "/predict", {}, "FAULT:segv in a batch"})));
    worker.let_go_with(4);
    CHECK(client.read_answer().status == 500);
    CHECK(beside.finish_and_list_wrong() == kNoneWrong);
  }
  CHECK(deaths_told(server) == 2);
  // Four requests began together, and each began again alone. Only the poison caused the second death.
  CHECK(server.metric("yolod_replays_total") == 4);
  CHECK(server.metric("yolod_quarantined_total") == 1);
  check_after_case(server, before);
}

// Each batch has copies of one picture and one bomb, and there are as many workers as bombs.
TEST_CASE("Poison: a good picture that shares batches with one bomb after another is never quarantined",
          "[process][case36]") {
  Server server(identity_config({{.workers = 2, .faults = true, .keys = kPatientModel}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const std::string picture = random_body(20'000, 99);
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    HeldWorkers workers(server);
    std::vector<HttpClient> copies;
    std::vector<HttpClient> bombs;
    for (int i = 0; i < 16; ++i) {
      const bool is_bomb = i == 3 || i == 11;
      const auto bomb = "FAULT:segv in round " + std::to_string(round) + ", number " + std::to_string(i);
      post_on_its_own(is_bomb ? bombs : copies, server, is_bomb ? bomb : picture);
    }
    workers.let_go_with(16);
    for (auto& copy : copies) {
      const auto answer = copy.read_answer();
      CAPTURE(answer);
      CHECK(is_identity_answer(answer, picture));
    }
    for (auto& bomb : bombs) CHECK(bomb.read_answer().error_code() == "worker_crashed");
    CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", picture), picture));
    REQUIRE(server.wait_until_ready());
  }
  CHECK(deaths_told(server) == 4 * kRounds);
  CHECK(server.metric("yolod_quarantined_total") == 2 * kRounds);
  check_after_case(server, before);
}

TEST_CASE("Poison: deaths that point to no request cause no picture to be refused", "[process][case36]") {
  // The worker has taken the whole batch and begun no request: `delay` comes before the first begins.
  Server server(identity_config({{.workers = 2, .delay = 500ms, .keys = kPatientModel}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const std::string picture = random_body(20'000, 7);
  std::vector<pid_t> killed;
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    std::vector<HttpClient> copies;
    {
      HeldWorkers workers(server);
      for (int i = 0; i < 16; ++i) post_on_its_own(copies, server, picture);
      workers.let_go_with(16);
    }
    REQUIRE(wait_until([&] { return queued_count(server) == 0; }));
    for (const pid_t worker : server.worker_pids()) {
      killed.push_back(worker);
      ::kill(worker, SIGSEGV);
    }
    for (auto& copy : copies) {
      const auto answer = copy.read_answer();
      CAPTURE(answer);
      CHECK(is_identity_answer(answer, picture));
    }
    REQUIRE(server.wait_until_ready());
  }
  CHECK(server.metric("yolod_quarantined_total") == 0);
  check_after_case(server, before, killed);
}

TEST_CASE("Poison: a request whose worker hangs and is killed each time takes no other request with it",
          "[process][case21]") {
  Server server(identity_config({{.workers = 1, .faults = true, .keys = kPatientModel}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  std::vector<pid_t> killed;
  {
    HeldWorker worker(server);
    InFlight beside(server.endpoint(), 3);
    HttpClient client(server.endpoint());
    REQUIRE(client.connect());
    REQUIRE(client.write(serialise({"POST", "/predict", {}, "FAULT:hang in a batch"})));
    worker.let_go_with(4);
    // The test kills the workers before anything shows which request of the batch hangs.
    for (bool answered = false; !answered;) {
      pid_t busy = 0;
      REQUIRE(wait_until([&] {
        for (const auto& one : server.workers()) {
          const bool is_new = std::find(killed.begin(), killed.end(), one.pid) == killed.end();
          if (one.state == "busy" && is_new) busy = one.pid;
        }
        answered = client.has_unread_bytes();
        return busy != 0 || answered;
      }));
      if (answered) break;
      ::kill(busy, SIGKILL);
      killed.push_back(busy);
    }
    CHECK(client.read_answer().error_code() == "worker_crashed");
    CHECK(beside.finish_and_list_wrong() == kNoneWrong);
  }
  CHECK(killed.size() >= 9);  // the first try and eight more
  CHECK(server.metric("yolod_quarantined_total") == 0);
  check_after_case(server, before, killed);
}

}  // namespace yolod::tests
