#include "app/schedule/dispatcher.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <variant>
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
  using Together = Dispatcher::Together;

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
  auto taken = worker.take();
  std::vector<std::uint64_t> order = ids_of(taken);
  CHECK(bench.dispatcher.queued_count() == 4 - taken.size());
  REQUIRE_FALSE(taken.empty());
  CHECK(taken.size() <= 2);
  for (int rounds = 0; !taken.empty() && rounds < 8; ++rounds) {
    for (const auto& cell : taken) worker.complete(cell);
    bench.completed(worker);
    taken = worker.take();
    for (const auto& cell : taken) order.push_back(cell.id);
  }
  CHECK(order == asked);
  for (const auto id : asked) CHECK(bench.predicted(id));
}

TEST_CASE("Dispatcher: with queue.max_size waiting requests the next is refused, and the others stay", "[app][unit]") {
  DispatcherBench bench;
  bench.config.queue.max_size = 2;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  worker.serving = false;  // for example a draining worker
  bench.next_worker = AwakeClock::now();
  const auto first = bench.ask();
  const auto second = bench.ask();
  CHECK(bench.dispatcher.admit({}).error().code == ErrorCode::kQueueFull);
  CHECK(bench.error(bench.ask()) == ErrorCode::kQueueFull);
  worker.serving = true;
  bench.dispatcher.look_again();
  bench.serve(worker);
  CHECK(bench.predicted(first));
  CHECK(bench.predicted(second));
}

TEST_CASE("Dispatcher: if no worker will be ready in time a request is refused at once", "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  bench.ended(worker, WorkerEnd::kExternal);
  CHECK(bench.dispatcher.admit({}).error().code == ErrorCode::kNotReady);
  bench.next_worker = AwakeClock::now() + bench.config.queue.timeout + 1min;
  CHECK(bench.dispatcher.admit({}).error().code == ErrorCode::kNotReady);
  bench.next_worker = AwakeClock::now();
  CHECK(bench.dispatcher.admit({}).ok());
}

TEST_CASE("Dispatcher: an ended worker's unfinished requests are replayed on another, its finished ones are not",
          "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  const auto alone = bench.ask("one");
  const auto second = bench.ask("two");
  const auto third = bench.ask("three");
  const auto taken = worker.take();
  REQUIRE_FALSE(taken.empty());
  worker.complete(taken[0]);  // and the front-end has not read it yet
  const auto end = GENERATE(WorkerEnd::kWorkerFault, WorkerEnd::kExternal);
  FakeWorker other(bench.config);
  bench.dispatcher.worker_ready(other);
  CHECK(bench.ended(worker, end));
  CHECK(bench.predicted(alone));
  for (int rounds = 0; rounds < 4; ++rounds) {
    bench.serve(other);
  }
  CHECK(bench.predicted(second));
  CHECK(bench.predicted(third));
  CHECK(bench.arena_used() == 0);
}

TEST_CASE("Dispatcher: a worker that ended without any request was not at work", "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  CHECK_FALSE(bench.ended(worker, WorkerEnd::kWorkerFault));  // the worker was never ready
  bench.dispatcher.worker_ready(worker);
  CHECK_FALSE(bench.ended(worker, WorkerEnd::kWorkerFault));
}

TEST_CASE("Dispatcher: a body that ended two workers alone is answered 500, and its copies are refused",
          "[app][unit]") {
  DispatcherBench bench;
  FakeWorker first(bench.config);
  bench.dispatcher.worker_ready(first);
  const auto id = bench.ask("poison");
  bench.crash_computing(first);
  CHECK_FALSE(bench.has_answer(id));

  FakeWorker second(bench.config);
  bench.dispatcher.worker_ready(second);
  const auto taken = second.take();
  REQUIRE(ids_of(taken) == std::vector{id});
  const auto neighbour = bench.ask("harmless");
  CHECK(second.take().empty());  // a suspect has its worker alone
  second.mark(taken[0], WorkPhase::kComputing);
  bench.ended(second, WorkerEnd::kWorkerFault);
  CHECK(bench.error(id) == ErrorCode::kWorkerCrashed);

  FakeWorker third(bench.config);
  bench.dispatcher.worker_ready(third);
  CHECK(ids_of(third.take()) == std::vector{neighbour});
  const auto copy = bench.ask("poison");
  for (int i = 0; i < 3; ++i) bench.turn();
  CHECK(bench.error(copy) == ErrorCode::kQuarantined);
  SECTION("until a reload: then the body may try again") {
    bench.dispatcher.use(bench.config);
    const auto again = bench.ask("poison");
    bench.turn();
    CHECK_FALSE(bench.has_answer(again));
  }
}

TEST_CASE("Dispatcher: a suspect that is answered is acquitted", "[app][unit]") {
  DispatcherBench bench;
  FakeWorker first(bench.config);
  bench.dispatcher.worker_ready(first);
  const auto id = bench.ask("unlucky");
  bench.crash_computing(first);
  FakeWorker second(bench.config);
  bench.dispatcher.worker_ready(second);
  bench.serve(second);
  CHECK(bench.predicted(id));
  const auto copy = bench.ask("unlucky");
  for (int i = 0; i < 3; ++i) bench.turn();
  bench.crash_computing(second);
  CHECK_FALSE(bench.has_answer(copy));  // this is its first strike again
}

TEST_CASE("Dispatcher: a request is replayed a bounded number of times, whatever killed its workers", "[app][unit]") {
  DispatcherBench bench;
  std::vector<std::unique_ptr<FakeWorker>> workers;
  std::uint64_t id = 0;
  std::uint32_t ends = 0;
  for (; ends < 2 * kMaxReplays; ++ends) {
    workers.push_back(std::make_unique<FakeWorker>(bench.config));
    bench.dispatcher.worker_ready(*workers.back());
    if (id == 0) id = bench.ask();
    REQUIRE(ids_of(workers.back()->take()) == std::vector{id});
    bench.ended(*workers.back(), WorkerEnd::kExternal);
    if (bench.has_answer(id)) break;
  }
  CHECK(ends == kMaxReplays);
  CHECK(bench.error(id) == ErrorCode::kWorkerCrashed);
}

TEST_CASE("Dispatcher: a worker that writes an impossible completion is condemned, and its request is replayed",
          "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  const auto id = bench.ask();
  const auto taken = worker.take();
  REQUIRE(taken.size() == 1);
  ipc::CompletionCell lie{taken[0].id, 4, taken[0].slot, 0, 0, 0, 0, 0};
  SECTION("another request's id") { ++lie.id; }
  SECTION("an empty slot") { lie.slot = taken[0].slot + 1; }
  SECTION("a slot that does not exist") { lie.slot = UINT32_MAX; }
  SECTION("a result larger than its slot") { lie.result_bytes = UINT64_MAX; }
  SECTION("bytes that are not a prediction") {}
  SECTION("an error that only the front-end gives") {
    lie.error_code = static_cast<std::uint32_t>(ErrorCode::kQueueFull);
    lie.result_bytes = 0;
  }
  SECTION("an error that does not exist") { lie.error_code = 60'000; }
  worker.push(lie);
  bench.completed(worker);
  CHECK(worker.condemned.size() == 1);
  CHECK_FALSE(bench.has_answer(id));
  worker.push({taken[0].id, 0, taken[0].slot, 0, 0, 0, 0, 0});  // the front-end reads nothing more from this worker
  FakeWorker other(bench.config);
  bench.dispatcher.worker_ready(other);
  bench.ended(worker, WorkerEnd::kWorkerFault);
  for (int i = 0; i < 3; ++i) bench.turn();
  bench.serve(other);
  CHECK(bench.predicted(id));
}

TEST_CASE("Dispatcher: a request that the worker refuses gets that answer, and the worker serves on", "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  const auto code = GENERATE(ErrorCode::kInvalidImage, ErrorCode::kImageTooLarge, ErrorCode::kImageTooComplex,
                             ErrorCode::kUnsupportedMediaType, ErrorCode::kInvalidParameter, ErrorCode::kInternal);
  const auto id = bench.ask();
  for (const auto& cell : worker.take()) worker.refuse(cell, code);
  bench.completed(worker);
  CHECK(bench.error(id) == code);
  CHECK(worker.condemned.empty());
  const auto next = bench.ask();
  bench.serve(worker);
  CHECK(bench.predicted(next));
}

TEST_CASE("Dispatcher: a request that no worker takes within queue.timeout gets an error", "[app][unit]") {
  DispatcherBench bench;
  bench.config.queue.timeout = 40ms;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  SECTION("too busy, if a worker serves and has all the work that it may have") {
    worker.may_have = 0;
    const auto id = bench.ask();
    bench.wait_for(id);
    CHECK(bench.error(id) == ErrorCode::kQueueFull);
  }
  SECTION("not ready, if no worker serves") {
    worker.serving = false;
    bench.next_worker = AwakeClock::now();
    const auto id = bench.ask();
    bench.wait_for(id);
    CHECK(bench.error(id) == ErrorCode::kNotReady);
  }
  CHECK(bench.dispatcher.queued_count() == 0);
}

TEST_CASE("Dispatcher: at its deadline a client gets an error, and its place is free once the worker has finished",
          "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  const auto id = bench.ask("late", {Priority::kNormal, AwakeClock::now() + 40ms});
  const auto taken = worker.take();
  REQUIRE(taken.size() == 1);
  bench.wait_for(id);
  CHECK(bench.error(id) == ErrorCode::kDeadlineExceeded);
  CHECK(bench.arena_used() != 0);
  worker.complete(taken[0]);
  bench.completed(worker);
  CHECK(worker.condemned.empty());
  CHECK(bench.arena_used() == 0);
}

TEST_CASE("Dispatcher: a worker that completes nothing within hang_timeout is condemned", "[app][unit]") {
  DispatcherBench bench;
  bench.config.hang_timeout = 40ms;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  (void)bench.ask();
  bench.io.restart();
  for (const auto end = Clock::now() + 1s; worker.condemned.empty() && Clock::now() < end;) bench.io.run_one_for(20ms);
  REQUIRE(worker.condemned.size() == 1);
  CHECK_THAT(worker.condemned.front(), Catch::Contains("hang_timeout"));
}

TEST_CASE("Dispatcher: a request that is cancelled while it waits is never computed, later it still is",
          "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  worker.serving = false;
  bench.next_worker = AwakeClock::now();
  const auto waiting = bench.ask();
  bench.dispatcher.cancel(waiting);
  bench.turn();
  CHECK(bench.error(waiting) == ErrorCode::kClientGone);
  CHECK(bench.dispatcher.queued_count() == 0);
  worker.serving = true;
  const auto given = bench.ask();
  bench.dispatcher.cancel(given);
  bench.turn();
  CHECK_FALSE(bench.has_answer(given));
  bench.serve(worker);
  CHECK(bench.predicted(given));
}

TEST_CASE("Dispatcher: a closed model refuses all requests, its workers finish, and reopened it serves again",
          "[app][unit]") {
  DispatcherBench bench;
  bench.config.batch.max_size = 1;
  bench.dispatcher.use(bench.config);
  FakeWorker worker(bench.config);
  worker.may_have = 1;
  bench.dispatcher.worker_ready(worker);
  const auto given = bench.ask();
  const auto waiting = bench.ask();
  bench.dispatcher.close({ErrorCode::kUnknownModel, "gone"});
  bench.turn();
  CHECK(bench.dispatcher.closed());
  CHECK_FALSE(bench.has_answer(given));
  CHECK(bench.error(waiting) == ErrorCode::kUnknownModel);
  CHECK(bench.error(bench.ask()) == ErrorCode::kUnknownModel);
  bench.serve(worker);
  CHECK(bench.predicted(given));
  bench.dispatcher.use(bench.config);
  CHECK_FALSE(bench.dispatcher.closed());
  CHECK(bench.dispatcher.admit({}).ok());
}

TEST_CASE("Dispatcher: a stop answers every request at once, and no worker that ends later changes that",
          "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  const auto given = bench.ask();
  bench.dispatcher.shut_down();
  bench.turn();
  CHECK(bench.error(given) == ErrorCode::kShuttingDown);
  CHECK(bench.dispatcher.unanswered_count() == 0);
  bench.ended(worker, WorkerEnd::kWorkerFault);
  CHECK(bench.arena_used() == 0);
}

TEST_CASE("Dispatcher: a worker that has had its maximum of requests is recycled and given no more", "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  worker.may_have = 1;
  bench.dispatcher.worker_ready(worker);
  const auto first = bench.ask();
  const auto second = bench.ask();
  const auto taken = worker.take();
  CHECK(ids_of(taken) == std::vector{first});
  worker.complete(taken[0]);
  bench.completed(worker);
  CHECK(worker.recycled == 1);
  CHECK(worker.take().empty());
  FakeWorker successor(bench.config);
  bench.dispatcher.worker_ready(successor);
  CHECK(ids_of(successor.take()) == std::vector{second});
}

TEST_CASE("Dispatcher: urgent requests go before others that have waited longer", "[app][unit]") {
  DispatcherBench bench;
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  worker.serving = false;
  bench.next_worker = AwakeClock::now();
  const auto normal = bench.ask();
  const auto urgent = bench.ask("picture", {Priority::kHigh});
  const auto sooner = bench.ask("picture", {Priority::kNormal, AwakeClock::now() + 5s});
  worker.serving = true;
  std::vector<std::uint64_t> order;
  bench.dispatcher.look_again();
  for (int rounds = 0; rounds < 4; ++rounds) {
    for (const auto& cell : worker.take()) {
      order.push_back(cell.id);
      worker.complete(cell);
    }
    bench.completed(worker);
  }
  CHECK(order == std::vector{urgent, sooner, normal});
}

TEST_CASE("Dispatcher: a request that would wait too long behind others is refused at once", "[app][unit]") {
  auto config = identity();
  config.batch.max_size = 1;
  config.queue.timeout = 1s;
  DispatcherBench bench(config);
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  (void)bench.ask();
  // The first request takes 100 ms. Longer pauses between readings of the clock would count as lost time.
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(10ms);
    (void)AwakeClock::now();
  }
  bench.serve(worker);
  while (bench.dispatcher.queued_count() < 2) (void)bench.ask();
  Urgency urgent;
  urgent.deadline = AwakeClock::now() + 120ms;
  const auto late = bench.dispatcher.admit(urgent);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == ErrorCode::kDeadlineExceeded);
  std::size_t admitted = 0;
  for (; bench.dispatcher.admit({}).ok() && admitted < config.queue.max_size; ++admitted) (void)bench.ask();
  const auto refused = bench.dispatcher.admit({});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kQueueFull);
  CHECK(admitted < 20);
  CHECK(bench.dispatcher.retry_after_seconds() >= 1);
}

TEST_CASE("Dispatcher: without a serving worker Retry-After says when the next worker comes", "[app][unit]") {
  DispatcherBench bench;
  CHECK(bench.dispatcher.retry_after_seconds() == 60);  // none will come
  bench.next_worker = AwakeClock::now() + 5s;
  CHECK(bench.dispatcher.retry_after_seconds() == 5);
}

TEST_CASE("Dispatcher: completions are taken without a ring too, and the waiting requests go out", "[app][unit]") {
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

TEST_CASE("Dispatcher: tensors of different sizes share a batch only if their rows are computed together",
          "[app][unit]") {
  auto config = identity();
  config.task = common::Task::kTensor;
  config.batch.max_size = 4;
  const bool has_rows = GENERATE(true, false);
  const bool has_open_rows = GENERATE(true, false);
  config.inputs = {{"x", common::oip::DataType::kFp32, {-1, has_open_rows ? -1 : 3}}};
  config.batch.max_rows = has_rows ? 16 : 0;
  DispatcherBench bench(config);
  FakeWorker worker(config);
  bench.dispatcher.worker_ready(worker);
  (void)bench.ask("busy");
  (void)bench.ask("busy");
  const auto first = bench.ask("a");
  const auto second = bench.ask("two");
  std::map<std::uint64_t, std::uint32_t> remaining;  // how many requests of its batch followed each request
  for (int rounds = 0; rounds < 8 && !remaining.contains(second); ++rounds) {
    for (const auto& cell : worker.take()) {
      remaining[cell.id] = cell.batch_remaining;
      worker.complete(cell);
    }
    bench.completed(worker);
  }
  REQUIRE(remaining.contains(second));
  CHECK(remaining.at(first) == (has_rows && !has_open_rows ? 1 : 0));
  CHECK(remaining.at(second) == 0);
}

// A model on tensors whose worker has given a long result to each of two requests.
struct LongResults {
  LongResults() {
    bench.dispatcher.worker_ready(worker);
    common::PredictionOptions options;
    options.tensors = true;
    const DispatcherBench::Together together(bench.dispatcher);
    for (auto& id : ids) id = bench.ask("x", {}, options);
  }
  static common::ModelConfig config() {
    auto config = identity();
    config.task = common::Task::kTensor;
    config.source = common::TorchScriptSource{};
    config.limits.max_result_bytes = 2U << 20U;
    return config;
  }
  static common::TensorList result(char fill) {
    const std::vector<std::byte> bytes(1U << 20U, static_cast<std::byte>(fill));
    return {{{"y", {common::ElementType::kUint8, {static_cast<std::int64_t>(bytes.size())}, bytes}}}};
  }
  void complete_all() {
    for (const auto& cell : worker.take()) worker.complete(cell, result(cell.id == ids[0] ? 'a' : 'b'));
  }

  DispatcherBench bench{config()};
  FakeWorker worker{bench.config};
  std::array<std::uint64_t, 2> ids{};
};

TEST_CASE("Dispatcher: long results are read in several turns, and meanwhile the worker keeps its requests",
          "[app][unit]") {
  LongResults all;
  auto& bench = all.bench;
  CHECK(all.worker.outstanding == 2);
  all.complete_all();
  bench.completed(all.worker);
  CHECK_FALSE(bench.has_answer(all.ids[0]));
  int turns = 1;
  for (; bench.dispatcher.has_completions() && turns < 100; ++turns) {
    bench.dispatcher.take_completions();
    bench.turn();
  }
  CHECK(turns >= 8);  // 2 MiB, 256 KiB at a time
  CHECK(turns <= 12);
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(bench.predicted(all.ids[i]));
    CHECK(std::get<common::TensorList>(*bench.answer(all.ids[i]).prediction) ==
          LongResults::result(i == 0 ? 'a' : 'b'));
  }
  CHECK(all.worker.outstanding == 0);
  CHECK(all.worker.condemned.empty());
}

TEST_CASE("Dispatcher: the long results of a dead worker count, also if they were being read", "[app][unit]") {
  LongResults all;
  all.complete_all();
  const bool has_begun = GENERATE(true, false);
  if (has_begun) all.bench.completed(all.worker);
  (void)all.bench.ended(all.worker, WorkerEnd::kWorkerFault);
  for (const auto id : all.ids) CHECK(all.bench.predicted(id));
}

TEST_CASE("Dispatcher: a long result that becomes corrupt while it is read ends its worker", "[app][unit]") {
  LongResults all;
  const auto cells = all.worker.take();
  const common::TensorList two{{LongResults::result('a').tensors[0], {"z", {common::ElementType::kUint8, {0}, {}}}}};
  all.worker.complete(cells[0], two);
  all.worker.spoil_end(cells[0], two);
  all.bench.completed(all.worker);
  CHECK(all.worker.condemned.empty());
  for (int turns = 0; all.bench.dispatcher.has_completions() && turns < 100; ++turns) {
    all.bench.dispatcher.take_completions();
    all.bench.turn();
  }
  CHECK(all.worker.condemned == std::vector<std::string>{"it wrote an invalid completion to its lane"});
}

TEST_CASE("Dispatcher: the jobs of one request share a batch also if a worker is idle", "[app][unit]") {
  auto config = identity();
  config.batch.max_size = 4;
  DispatcherBench bench(config);
  FakeWorker worker(bench.config);
  bench.dispatcher.worker_ready(worker);
  {
    const DispatcherBench::Together together(bench.dispatcher);
    for (int i = 0; i < 4; ++i) (void)bench.ask();
    CHECK(worker.take().empty());
  }
  const auto cells = worker.take();
  REQUIRE(cells.size() == 4);
  CHECK(cells[0].batch_remaining == 3);
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
