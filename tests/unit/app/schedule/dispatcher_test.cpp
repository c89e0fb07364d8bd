#include "app/schedule/dispatcher.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "app/schedule/replay_policy.hpp"
#include "common/awake_clock.hpp"
#include "ipc/options_codec.hpp"
#include "tests/unit/app/schedule/fake_worker.hpp"

namespace yolod::app::schedule {
namespace {

using namespace std::chrono_literals;
using common::AwakeClock;
using common::Clock;
using common::ErrorCode;
using ipc::WorkPhase;

common::ModelConfig identity() {
  common::ModelConfig config;
  config.name = "echo";
  config.source = common::IdentitySource{};
  config.batch.max_size = 2;
  return config;
}

// A dispatcher whose workers are fakes. It records the result of each request.
class DispatcherBench {
 public:
  explicit DispatcherBench(common::ModelConfig settings = identity()) : config(std::move(settings)) {}
  ~DispatcherBench() { dispatcher.shut_down(); }

  // Returns the id of the request.
  std::uint64_t ask(const std::string& body = "picture", Urgency urgency = {}, common::PredictionOptions options = {}) {
    Job job;
    job.options = options;
    const auto id = job.id = dispatcher.new_id();
    auto block = arena_.allocate(std::max<std::size_t>(body.size(), 1));
    REQUIRE(block);
    block->end_upload();
    std::memcpy(block->bytes().data(), body.data(), body.size());
    job.urgency = urgency;
    job.content_offset = block->offset();
    job.content = block->bytes().first(body.size());
    job.block = std::move(*block);
    dispatcher.ask(std::move(job), AnswerHandler::from([this, id](Answer answer) {
                     REQUIRE(answers_.count(id) == 0);
                     answers_.emplace(id, std::move(answer));
                   }));
    turn();
    return id;
  }
  // Runs all handlers that are ready now.
  void turn() {
    io.restart();
    io.poll();
  }
  // Runs until that request has an answer, or a second is over.
  void wait_for(std::uint64_t id) {
    const auto end = Clock::now() + 1s;
    io.restart();
    while (!has_answer(id) && Clock::now() < end) io.run_one_for(20ms);
  }
  void completed(FakeWorker& worker) {
    dispatcher.worker_completions(worker);
    turn();
  }
  // The worker answers all requests that it has been given.
  void serve(FakeWorker& worker) {
    for (const auto& cell : worker.take()) worker.complete(cell);
    completed(worker);
  }
  // The worker dies while it computes all requests that it has been given.
  void crash_computing(FakeWorker& worker) {
    for (const auto& cell : worker.take()) worker.mark(cell, WorkPhase::kComputing);
    ended(worker, WorkerEnd::kWorkerFault);
  }
  bool ended(FakeWorker& worker, WorkerEnd end) {
    worker.serving = false;
    const bool at_work = dispatcher.worker_ended(worker, end);
    for (int i = 0; i < 3; ++i) turn();  // bodies are hashed in their own turns
    return at_work;
  }

  [[nodiscard]] bool has_answer(std::uint64_t id) const { return answers_.count(id) != 0; }
  [[nodiscard]] bool predicted(std::uint64_t id) const { return has_answer(id) && answers_.at(id).prediction.ok(); }
  // ErrorCode{} means that the request has a prediction or no answer.
  [[nodiscard]] ErrorCode error(std::uint64_t id) const {
    return has_answer(id) && !predicted(id) ? answers_.at(id).prediction.error().code : ErrorCode{};
  }
  [[nodiscard]] const Answer& answer(std::uint64_t id) const { return answers_.at(id); }
  [[nodiscard]] std::uint64_t arena_used() const { return arena_.used_bytes() - used_before_; }

  common::ModelConfig config;
  boost::asio::io_context io;
  std::optional<Clock::time_point> next_worker;

 private:
  observe::Metrics metrics_;
  observe::ModelMetrics model_metrics_{metrics_, "echo"};
  ipc::InputArena arena_{ipc::InputArena::create(1U << 20U).value()};
  CompletionPoll poll_{io, arena_, {[] { return false; }, [] {}}};
  const std::uint64_t used_before_{arena_.used_bytes()};
  std::map<std::uint64_t, Answer> answers_;

 public:
  Dispatcher dispatcher{io, config, model_metrics_, poll_, [this] { return next_worker; }};
};

std::vector<std::uint64_t> ids_of(const std::vector<ipc::RequestCell>& cells) {
  std::vector<std::uint64_t> ids;
  for (const auto& cell : cells) ids.push_back(cell.id);
  return ids;
}

TEST_CASE("Dispatcher: before a worker is ready a request is refused, and later goes to an idle worker",
          "[app][unit]") {
  DispatcherBench bench;
  CHECK(bench.dispatcher.admit({}).error().code == ErrorCode::kNotReady);
  CHECK(bench.error(bench.ask()) == ErrorCode::kNotReady);

  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  REQUIRE(bench.dispatcher.admit({}).ok());
  const auto id = bench.ask("seven b");
  CHECK(worker.wakes == 1);
  CHECK(worker.outstanding == 1);
  CHECK(bench.dispatcher.unanswered_count() == 1);
  const auto taken = worker.take();
  REQUIRE(ids_of(taken) == std::vector{id});
  CHECK(taken[0].content_bytes == 7);
  CHECK_FALSE(bench.has_answer(id));
  worker.complete(taken[0]);
  bench.completed(worker);
  REQUIRE(bench.predicted(id));
  CHECK(std::get<common::IdentityAnswer>(bench.answer(id).prediction.value()).bytes == 7);
  CHECK(bench.answer(id).model != nullptr);
  CHECK(worker.outstanding == 0);
  CHECK(bench.dispatcher.unanswered_count() == 0);
  CHECK(bench.arena_used() == 0);
}

TEST_CASE("Dispatcher: a worker has one batch at hand and one behind it, and the rest waits in order", "[app][unit]") {
  DispatcherBench bench;
  bench.config.batch.max_size = 1;
  bench.dispatcher.use(bench.config);
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  std::vector<std::uint64_t> asked;
  for (int i = 0; i < 4; ++i) asked.push_back(bench.ask());
  bench.dispatcher.take_completions();  // there are none
  for (;;) {
    for (const auto& cell : worker.take()) worker.complete(cell);
    if (!bench.dispatcher.has_completions()) break;
    bench.dispatcher.take_completions();
    bench.turn();
  }
  for (const auto id : asked) CHECK(bench.predicted(id));
}

TEST_CASE("Dispatcher: a reload may lower what waiting requests ask for, or forbid it", "[app][unit]") {
  DispatcherBench bench;
  bench.config.detect.annotate = true;
  bench.config.detect.max_detections = 100;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  worker.serving = false;
  bench.next_worker = AwakeClock::now();
  common::PredictionOptions drawing;
  drawing.annotate = true;
  common::PredictionOptions many;
  many.max_detections = 90;
  const auto forbidden = bench.ask("a", {}, drawing);
  const auto lowered = bench.ask("b", {}, many);
  bench.config.detect.annotate = false;
  bench.config.detect.max_detections = 10;
  bench.dispatcher.use(bench.config);
  worker.serving = true;
  bench.dispatcher.look_again();
  bench.turn();
  CHECK(bench.error(forbidden) == ErrorCode::kInvalidParameter);
  const auto taken = worker.take();
  REQUIRE(ids_of(taken) == std::vector{lowered});
  const auto options = ipc::decode_options(taken[0]);
  REQUIRE(options);
  CHECK(options->max_detections == 10U);
  worker.complete(taken[0]);
  bench.completed(worker);
}

TEST_CASE("Dispatcher: the requests of a worker that dies after the model was closed get the reason of the close",
          "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  const auto given = bench.ask();
  bench.dispatcher.close({ErrorCode::kUnknownModel, "gone"});
  bench.ended(worker, WorkerEnd::kExternal);
  CHECK(bench.error(given) == ErrorCode::kUnknownModel);
  CHECK(bench.arena_used() == 0);
}

TEST_CASE("Dispatcher: a request waits for others to fill its batch, but no longer than batch.max_wait",
          "[app][unit]") {
  auto config = identity();
  config.batch.max_wait = 50ms;
  DispatcherBench bench(config);
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  const auto first = bench.ask();
  CHECK(worker.take().empty());
  SECTION("a second request fills the batch") {
    const auto second = bench.ask();
    CHECK(ids_of(worker.take()) == std::vector{first, second});
  }
  SECTION("no other request comes") {
    std::vector<ipc::RequestCell> taken;
    const auto end = Clock::now() + 10s;
    while (taken.empty() && Clock::now() < end) {
      (void)AwakeClock::now();
      bench.io.restart();
      bench.io.run_one_for(20ms);
      taken = worker.take();
    }
    CHECK(ids_of(taken) == std::vector{first});
  }
}

}  // namespace
}  // namespace yolod::app::schedule
