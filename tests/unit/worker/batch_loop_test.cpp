#include "worker/batch_loop.hpp"

#include <poll.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "ipc/control.hpp"
#include "ipc/doorbell.hpp"
#include "ipc/options_codec.hpp"
#include "ipc/prediction_codec.hpp"
#include "tests/support/duplicate.hpp"

namespace yolod::worker {
namespace {

using namespace std::chrono_literals;
using common::DetectionList;
using common::Error;
using common::ErrorCode;
using common::IdentityAnswer;
using common::Prediction;
using common::UniqueFd;
using ipc::CompletionCell;
using ipc::PopResult;
using ipc::PushResult;
using ipc::RequestCell;
using ipc::WorkPhase;
using Mark = ipc::LaneOwner::Mark;
using tests::duplicate;

// A model that answers as the test sets it, and records its inputs.
class FakeModel final : public model::Model {
 public:
  using Answering = std::function<std::vector<model::Output>(std::span<const model::Input>)>;

  explicit FakeModel(Answering answering = {}) : answering_(std::move(answering)) {}

  [[nodiscard]] const common::ModelDescription& description() const override { return description_; }
  [[nodiscard]] common::Outcome<void> warm_up(std::span<const std::size_t> /*sizes*/) override { return {}; }
  [[nodiscard]] common::Outcome<void> use_threads(std::uint32_t /*threads*/) override { return {}; }
  [[nodiscard]] std::vector<model::Output> run(std::span<const model::Input> inputs) override {
    batch_sizes.push_back(inputs.size());
    for (const auto& input : inputs) {
      bodies.emplace_back(reinterpret_cast<const char*>(input.body.data()), input.body.size());
      options.push_back(input.options);
    }
    if (answering_) return answering_(inputs);
    std::vector<model::Output> outputs(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      outputs[i].prediction = Prediction(IdentityAnswer{inputs[i].body.size(), 0, 0});
      outputs[i].times = {1, 2, 3};
    }
    return outputs;
  }

  std::vector<std::size_t> batch_sizes;
  std::vector<std::string> bodies;
  std::vector<common::PredictionOptions> options;

 private:
  Answering answering_;
  common::ModelDescription description_;
};

template <typename T>
T taken(common::Outcome<T> outcome) {
  REQUIRE(outcome);
  return std::move(outcome).value();
}

// Holds both sides of one worker in this process. serve() finds the requests and commands that a test sends before
// it is called. With stop() among them, serve() returns.
struct Bench {
  explicit Bench(std::uint32_t max_batch = 4, std::uint64_t result_bytes = 1024)
      : arena(taken(ipc::InputArena::create(1U << 20U))),
        view(taken(ipc::InputArenaView::open(duplicate(arena.descriptor())))),
        owner(taken(ipc::LaneOwner::create(ipc::make_lane_geometry(max_batch, result_bytes), 1))),
        user(taken(ipc::LaneUser::open(duplicate(owner.descriptor())))),
        doorbell(taken(ipc::make_doorbell())) {
    auto ends = ipc::make_control_channel();
    REQUIRE(ends);
    front_end = std::move(ends->first);
    worker = std::move(ends->second);
  }

  // Places `body` in the arena and a request for it in the ring.
  void push(std::uint64_t id, std::string_view body, std::uint32_t slot, std::uint32_t batch_remaining = 0,
            const common::PredictionOptions& options = {}) {
    auto block = arena.allocate(body.size());
    REQUIRE(block);
    std::memcpy(block->bytes().data(), body.data(), body.size());
    RequestCell cell{};
    cell.id = id;
    cell.content_offset = block->offset();
    cell.content_bytes = body.size();
    cell.slot = slot;
    cell.batch_remaining = batch_remaining;
    cell.content_kind = static_cast<std::uint8_t>(common::ContentKind::kFile);
    ipc::encode_options(options, cell);
    push(cell);
    blocks.push_back(std::move(*block));
  }
  void push(const RequestCell& cell) { REQUIRE(owner.push_request(cell) == PushResult::kPushed); }
  void stop() {
    owner.publish_requests();
    REQUIRE(ipc::send_command(front_end.get(), ipc::Command::kStop));
  }
  LoopEnd serve_with(model::Model& model) { return serve(model, user, view, {worker.get(), doorbell.get()}); }

  CompletionCell completion() {
    CompletionCell cell{};
    REQUIRE(owner.pop_completion(cell) == PopResult::kPopped);
    return cell;
  }
  bool no_completion() {
    CompletionCell cell{};
    return owner.pop_completion(cell) == PopResult::kEmpty;
  }
  std::string text_of(const CompletionCell& cell) {
    const auto bytes = owner.copy_result(cell.slot, cell.result_bytes);
    REQUIRE(bytes);
    return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
  }
  std::optional<Prediction> prediction_of(const CompletionCell& cell) {
    const auto bytes = owner.copy_result(cell.slot, cell.result_bytes);
    REQUIRE(bytes);
    return ipc::decode_prediction(*bytes);
  }
  [[nodiscard]] bool doorbell_rang() const {
    pollfd item{doorbell.get(), POLLIN, 0};
    return poll(&item, 1, 0) == 1;
  }

  ipc::InputArena arena;
  ipc::InputArenaView view;
  ipc::LaneOwner owner;
  ipc::LaneUser user;
  UniqueFd doorbell;
  UniqueFd front_end;
  UniqueFd worker;
  std::vector<ipc::ArenaBlock> blocks;
};

constexpr auto code_of(ErrorCode code) { return static_cast<std::uint32_t>(code); }

// ---- answers ----

TEST_CASE("Serve: a request is answered in its slot, with its id and times", "[worker][unit]") {
  Bench bench;
  bench.push(7, "hello", 3);
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(model.bodies == std::vector<std::string>{"hello"});
  const auto done = bench.completion();
  CHECK(done.id == 7);
  CHECK(done.slot == 3);
  CHECK(done.error_code == 0);
  CHECK(done.decode_us == 1);
  CHECK(done.infer_us == 2);
  CHECK(done.post_us == 3);
  CHECK(bench.prediction_of(done) == Prediction(IdentityAnswer{5, 0, 0}));
  CHECK(bench.no_completion());
  CHECK(bench.doorbell_rang());
}

TEST_CASE("Serve: a request's own options reach the model", "[worker][unit]") {
  const common::PredictionOptions options{0.5F, {}, 3};
  Bench bench;
  bench.push(1, "x", 0, 0, options);
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(model.options == std::vector<common::PredictionOptions>{options});
}

TEST_CASE("Serve: a batch runs at once, and its requests are answered in order", "[worker][unit]") {
  Bench bench;
  bench.push(1, "a", 0, 2);
  bench.push(2, "bb", 2, 1);
  bench.push(3, "ccc", 1, 0);
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(model.batch_sizes == std::vector<std::size_t>{3});
  CHECK(model.bodies == std::vector<std::string>{"a", "bb", "ccc"});
  const std::vector<std::pair<std::uint64_t, std::uint32_t>> expected{{1, 0}, {2, 2}, {3, 1}};
  for (const auto& [id, slot] : expected) {
    const auto done = bench.completion();
    CHECK(done.id == id);
    CHECK(done.slot == slot);
    CHECK(bench.prediction_of(done) == Prediction(IdentityAnswer{id, 0, 0}));
  }
}

TEST_CASE("Serve: waiting batches run one after the other", "[worker][unit]") {
  Bench bench;
  bench.push(1, "a", 0, 1);
  bench.push(2, "b", 1, 0);
  bench.push(3, "c", 2, 0);
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(model.batch_sizes == std::vector<std::size_t>{2, 1});
}

TEST_CASE("Serve: an empty body is an input like any other", "[worker][unit]") {
  Bench bench;
  bench.push(1, "", 0);
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(model.bodies == std::vector<std::string>{""});
}

TEST_CASE("Serve: a slot is marked as running before the model sees its body", "[worker][unit]") {
  Bench bench;
  bench.push(7, "a", 2, 1);
  bench.push(8, "b", 3, 0);
  bench.stop();
  std::vector<Mark> marks;
  FakeModel model([&](std::span<const model::Input> inputs) {
    for (const std::uint32_t slot : {2U, 3U, 0U}) marks.push_back(bench.owner.running_mark(slot));
    return std::vector<model::Output>(inputs.size());
  });
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(marks == std::vector<Mark>{{7, WorkPhase::kTaken}, {8, WorkPhase::kTaken}, {0, WorkPhase::kTaken}});
}

TEST_CASE("Serve: work of a model on a single input is marked only in that input's slot", "[worker][unit]") {
  Bench bench;
  bench.push(7, "a", 2, 1);
  bench.push(8, "b", 3, 0);
  bench.stop();
  std::vector<Mark> marks;
  const auto look = [&] {
    for (const std::uint32_t slot : {2U, 3U}) marks.push_back(bench.owner.running_mark(slot));
  };
  FakeModel model([&](std::span<const model::Input> inputs) {
    {
      const model::OwnWork own_work(inputs[0]);
      look();
    }
    const model::OwnWork own_work(inputs[1]);
    look();
    return std::vector<model::Output>(inputs.size());
  });
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(marks ==
        std::vector<Mark>{
            {7, WorkPhase::kOwnWork}, {8, WorkPhase::kTaken}, {7, WorkPhase::kWaiting}, {8, WorkPhase::kOwnWork}});
}

TEST_CASE("Serve: no completion is visible before the whole batch is done", "[worker][unit]") {
  Bench bench;
  bench.push(1, "a", 0, 1);
  bench.push(2, "b", 1, 0);
  bench.stop();
  bool early = true;
  FakeModel model([&](std::span<const model::Input> inputs) {
    early = !bench.no_completion() || bench.doorbell_rang();
    return std::vector<model::Output>(inputs.size());
  });
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK_FALSE(early);
}

// ---- failures of the model ----

TEST_CASE("Serve: an input that the model refuses is answered with its code and text", "[worker][unit]") {
  Bench bench;
  bench.push(1, "a", 0, 1);
  bench.push(2, "b", 1, 0);
  bench.stop();
  FakeModel model([](std::span<const model::Input> inputs) {
    std::vector<model::Output> outputs(inputs.size());
    outputs[0].prediction = Error{ErrorCode::kInvalidImage, "not an image"};
    outputs[1].prediction = Prediction(IdentityAnswer{});
    return outputs;
  });
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  const auto refused = bench.completion();
  CHECK(refused.error_code == code_of(ErrorCode::kInvalidImage));
  CHECK(bench.text_of(refused) == "not an image");
  CHECK(bench.completion().error_code == 0);
}

TEST_CASE("Serve: a model that throws fails every request of its batch and no other", "[worker][unit]") {
  Bench bench;
  bench.push(1, "a", 0, 1);
  bench.push(2, "b", 1, 0);
  bench.push(3, "c", 2, 0);
  bench.stop();
  FakeModel model([](std::span<const model::Input> inputs) -> std::vector<model::Output> {
    if (inputs.size() == 2) throw std::runtime_error("inside /some/path");
    std::vector<model::Output> outputs(inputs.size());
    for (auto& output : outputs) output.prediction = Prediction(IdentityAnswer{});
    return outputs;
  });
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  for (int i = 0; i < 2; ++i) {
    const auto failed = bench.completion();
    CHECK(failed.error_code == code_of(ErrorCode::kInternal));
    CHECK(bench.text_of(failed).find("/some/path") == std::string::npos);
  }
  CHECK(bench.completion().error_code == 0);
}

TEST_CASE("Serve: a model that returns a wrong number of outputs fails the whole batch", "[worker][unit]") {
  const std::size_t count = GENERATE(as<std::size_t>{}, 0, 1, 3);
  Bench bench;
  bench.push(1, "a", 0, 1);
  bench.push(2, "b", 1, 0);
  bench.stop();
  FakeModel model([count](std::span<const model::Input>) {
    std::vector<model::Output> outputs(count);
    for (auto& output : outputs) output.prediction = Prediction(IdentityAnswer{});
    return outputs;
  });
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  for (const std::uint64_t id : {1U, 2U}) {
    const auto failed = bench.completion();
    CHECK(failed.id == id);
    CHECK(failed.error_code == code_of(ErrorCode::kInternal));
  }
  CHECK(bench.no_completion());
}

TEST_CASE("Serve: an answer that is larger than its slot is an internal error", "[worker][unit]") {
  Bench bench(1, ipc::result_bytes_for(common::ModelConfig{}));
  bench.push(1, "a", 0);
  bench.stop();
  FakeModel model([](std::span<const model::Input> inputs) {
    std::vector<model::Output> outputs(inputs.size());
    DetectionList list;
    list.detections.resize(400);
    outputs[0].prediction = Prediction(list);
    return outputs;
  });
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  const auto failed = bench.completion();
  CHECK(failed.error_code == code_of(ErrorCode::kInternal));
  CHECK_FALSE(bench.text_of(failed).empty());
}

TEST_CASE("Serve: an error's text is cut to its slot", "[worker][unit]") {
  Bench bench(1, 64);
  bench.push(1, "a", 1);
  bench.stop();
  FakeModel model([](std::span<const model::Input> inputs) {
    std::vector<model::Output> outputs(inputs.size());
    outputs[0].prediction = Error{ErrorCode::kInvalidImage, std::string(1000, 'x')};
    return outputs;
  });
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  const auto failed = bench.completion();
  CHECK(failed.error_code == code_of(ErrorCode::kInvalidImage));
  CHECK(bench.text_of(failed) == std::string(64, 'x'));
}

// ---- the end ----

TEST_CASE("Serve: a stop with no work to do ends the worker, which rings no doorbell", "[worker][unit]") {
  Bench bench;
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(model.batch_sizes.empty());
  CHECK_FALSE(bench.doorbell_rang());
}

TEST_CASE("Serve: the requests in the lane are answered before the worker stops", "[worker][unit]") {
  Bench bench;
  REQUIRE(ipc::send_command(bench.front_end.get(), ipc::Command::kStop));
  for (std::uint32_t i = 0; i < 4; ++i) bench.push(i + 1, "x", i);
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(bench.completion().id == i + 1);
}

TEST_CASE("Serve: a worker whose front-end is gone ends", "[worker][unit]") {
  Bench bench;
  bench.front_end.reset();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
}

TEST_CASE("Serve: wake-ups without work, and commands that do not exist, change nothing", "[worker][unit]") {
  Bench bench;
  for (int i = 0; i < 10; ++i) REQUIRE(ipc::send_command(bench.front_end.get(), ipc::Command::kWake));
  REQUIRE(ipc::send_command(bench.front_end.get(), ipc::Command{'?'}));
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(model.batch_sizes.empty());
}

TEST_CASE("Serve: a request that the front-end would never make ends the worker", "[worker][unit]") {
  constexpr auto kMost = UINT64_MAX;
  RequestCell cell{};
  cell.id = 1;
  cell.content_offset = 4096;
  cell.content_bytes = 10;
  cell.content_kind = static_cast<std::uint8_t>(common::ContentKind::kFile);
  ipc::encode_options({}, cell);
  Bench bench;
  SECTION("a slot just beyond the last") { cell.slot = bench.owner.geometry().slot_count; }
  SECTION("a slot far beyond the last") { cell.slot = UINT32_MAX; }
  SECTION("an offset beyond the arena") { cell.content_offset = (1U << 20U) + 1; }
  SECTION("a body that reaches beyond the arena") { cell.content_bytes = 1U << 20U; }
  SECTION("an offset and size whose sum wraps around") { cell.content_offset = kMost - 5; }
  SECTION("a size beyond all measure") { cell.content_bytes = kMost; }
  SECTION("a kind of content that does not exist") {
    cell.content_kind = GENERATE(as<std::uint8_t>{}, 0, 6, UINT8_MAX);
  }
  SECTION("options that cannot be") { cell.options_bytes = 1; }
  SECTION("a batch that ends early") { cell.batch_remaining = 1; }
  bench.push(cell);
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kBrokenRequest);
  CHECK(model.batch_sizes.empty());
  CHECK(bench.no_completion());
}

TEST_CASE("Serve: a batch with a broken request does not run in part", "[worker][unit]") {
  Bench bench;
  bench.push(1, "a", 0, 1);
  RequestCell broken{};
  broken.id = 2;
  broken.slot = UINT32_MAX;
  bench.push(broken);
  bench.stop();
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kBrokenRequest);
  CHECK(model.batch_sizes.empty());
}

TEST_CASE("Serve: a corrupt request ring ends the worker", "[worker][unit]") {
  Bench bench;
  const auto all = bench.user.all_bytes();
  std::fill(all.begin(), all.end(), std::byte{0xFF});
  FakeModel model;
  CHECK(bench.serve_with(model) == LoopEnd::kBrokenRequest);
}

// ---- while it runs ----

TEST_CASE("Serve: a waiting worker wakes up for new requests", "[worker][unit][threads]") {
  Bench bench;
  FakeModel model;
  LoopEnd end{};
  std::thread worker([&] { end = bench.serve_with(model); });
  int lost_count = 0;
  for (std::uint64_t id = 1; id <= 200; ++id) {
    bench.push(id, "body", static_cast<std::uint32_t>(id % bench.owner.geometry().slot_count));
    bench.owner.publish_requests();
    ipc::send_command(bench.front_end.get(), ipc::Command::kWake);
    CompletionCell done{};
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    auto popped = bench.owner.pop_completion(done);
    while (popped == PopResult::kEmpty && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
      popped = bench.owner.pop_completion(done);
    }
    if (popped != PopResult::kPopped || done.id != id) {
      ++lost_count;
      break;
    }
    bench.blocks.clear();
  }
  bench.front_end.reset();
  worker.join();
  CHECK(lost_count == 0);
  CHECK(end == LoopEnd::kStopped);
  CHECK(model.bodies.size() == 200);
}

TEST_CASE("Serve: the worker does not ring a front-end that is awake", "[worker][unit]") {
  Bench bench;
  FakeModel model;
  bench.arena.wake_up();
  bench.push(1, "body", 0);
  bench.stop();
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(bench.completion().id == 1);
  CHECK_FALSE(bench.doorbell_rang());
}

TEST_CASE("Serve: a worker that is woken only when it sleeps misses no request", "[worker][unit][threads]") {
  Bench bench;
  FakeModel model;
  LoopEnd end{};
  std::thread worker([&] { end = bench.serve_with(model); });
  std::uint64_t answered = 0;
  for (std::uint64_t id = 1; id <= 2'000; ++id) {
    bench.push(id, "body", static_cast<std::uint32_t>(id % bench.owner.geometry().slot_count));
    bench.owner.publish_requests();
    if (bench.owner.worker_sleeps()) ipc::send_command(bench.front_end.get(), ipc::Command::kWake);
    const auto give_up = std::chrono::steady_clock::now() + 120s;
    while (!bench.owner.has_completions() && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    CompletionCell done{};
    if (bench.owner.pop_completion(done) != PopResult::kPopped || done.id != id) break;
    ++answered;
    bench.blocks.clear();
  }
  bench.front_end.reset();
  worker.join();
  CHECK(answered == 2'000);
  CHECK(end == LoopEnd::kStopped);
}

// Decodes ahead, and computes its first batch only once the second one is decoded.
class AheadModel final : public model::Model {
 public:
  struct Bodies final : Decoded {
    std::vector<model::Output> outputs;
  };
  [[nodiscard]] const common::ModelDescription& description() const override { return description_; }
  [[nodiscard]] common::Outcome<void> warm_up(std::span<const std::size_t> /*sizes*/) override { return {}; }
  [[nodiscard]] common::Outcome<void> use_threads(std::uint32_t /*threads*/) override { return {}; }
  [[nodiscard]] bool decodes_ahead() const override { return true; }
  [[nodiscard]] std::unique_ptr<Decoded> decode(std::span<const model::Input> inputs) override {
    if (throws) throw std::runtime_error("no memory");
    auto decoded = std::make_unique<Bodies>();
    for (const auto& input : inputs) {
      model::Output output;
      output.prediction = Prediction(IdentityAnswer{input.body.size(), 0, 0});
      decoded->outputs.push_back(std::move(output));
    }
    const std::lock_guard lock(mutex_);
    ++decoded_count_;
    changed_.notify_all();
    return decoded;
  }
  [[nodiscard]] std::vector<model::Output> run_decoded(std::unique_ptr<Decoded> decoded) override {
    std::unique_lock lock(mutex_);
    if (computing_) ++at_once;
    if (std::this_thread::get_id() != home_) ++elsewhere;
    computing_ = true;
    overlapped = changed_.wait_for(lock, 120s, [this] { return decoded_count_ >= 2; });
    computing_ = false;
    return std::move(static_cast<Bodies&>(*decoded).outputs);
  }
  [[nodiscard]] std::vector<model::Output> run(std::span<const model::Input> /*inputs*/) override {
    throw std::runtime_error("no memory");
  }

  bool throws{false};
  bool overlapped{false};
  int at_once{0};
  int elsewhere{0};  // batches that were not computed by the thread that made this

 private:
  const std::thread::id home_{std::this_thread::get_id()};
  common::ModelDescription description_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int decoded_count_{0};
  bool computing_{false};
};

TEST_CASE(
    "Serve: with decoding ahead, the next batch is decoded while a batch is computed, and the answers keep their order",
    "[worker][unit][threads]") {
  const auto decoding = GENERATE(Decoding::kAhead, Decoding::kAheadApart);
  Bench bench;
  AheadModel model;
  for (std::uint64_t id = 1; id <= 5; ++id) bench.push(id, "body", static_cast<std::uint32_t>(id));
  bench.stop();
  CHECK(serve(model, bench.user, bench.view, {bench.worker.get(), bench.doorbell.get()}, decoding) ==
        LoopEnd::kStopped);
  CHECK(model.overlapped);
  CHECK(model.at_once == 0);
  if (decoding == Decoding::kAheadApart) CHECK(model.elsewhere == 0);
  for (std::uint64_t id = 1; id <= 5; ++id) CHECK(bench.completion().id == id);
}

// Refuses the first input of each batch, and looks at the marks of slots 0 to 2 while it computes.
class RefusingModel final : public model::Model {
 public:
  explicit RefusingModel(const ipc::LaneOwner& lane) : lane_(lane) {}
  struct Bodies final : Decoded {
    std::size_t count{0};
  };
  [[nodiscard]] const common::ModelDescription& description() const override { return description_; }
  [[nodiscard]] common::Outcome<void> warm_up(std::span<const std::size_t> /*sizes*/) override { return {}; }
  [[nodiscard]] common::Outcome<void> use_threads(std::uint32_t /*threads*/) override { return {}; }
  [[nodiscard]] bool decodes_ahead() const override { return true; }
  [[nodiscard]] std::unique_ptr<Decoded> decode(std::span<const model::Input> inputs) override {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      model::OwnWork own_work(inputs[i]);
      if (i == 0) own_work.refused();
    }
    auto decoded = std::make_unique<Bodies>();
    decoded->count = inputs.size();
    return decoded;
  }
  [[nodiscard]] std::vector<model::Output> run_decoded(std::unique_ptr<Decoded> decoded) override {
    for (std::uint32_t slot = 0; slot < 3; ++slot) marks.push_back(lane_.running_mark(slot));
    return std::vector<model::Output>(static_cast<Bodies&>(*decoded).count);
  }
  [[nodiscard]] std::vector<model::Output> run(std::span<const model::Input> inputs) override {
    return std::vector<model::Output>(inputs.size());
  }

  std::vector<Mark> marks;

 private:
  const ipc::LaneOwner& lane_;
  common::ModelDescription description_;
};

TEST_CASE(
    "Serve: inputs that are computed together are marked, except inputs that were refused while they were decoded",
    "[worker][unit]") {
  Bench bench;
  bench.push(7, "a", 0, 2);
  bench.push(8, "b", 1, 1);
  bench.push(9, "c", 2, 0);
  bench.stop();
  RefusingModel model(bench.owner);
  CHECK(bench.serve_with(model) == LoopEnd::kStopped);
  CHECK(model.marks ==
        std::vector<Mark>{{7, WorkPhase::kWaiting}, {8, WorkPhase::kComputing}, {9, WorkPhase::kComputing}});
}

TEST_CASE("Serve: both threads end without a front-end, and a decoder that throws fails only its batch",
          "[worker][unit][threads]") {
  const auto decoding = GENERATE(Decoding::kAhead, Decoding::kAheadApart);
  Bench bench;
  AheadModel model;
  model.throws = true;
  bench.push(1, "body", 0);
  bench.owner.publish_requests();
  std::thread front_end([&] {
    while (!bench.owner.has_completions()) std::this_thread::yield();
    bench.front_end.reset();
  });
  CHECK(serve(model, bench.user, bench.view, {bench.worker.get(), bench.doorbell.get()}, decoding) ==
        LoopEnd::kStopped);
  front_end.join();
  CHECK(bench.completion().error_code == code_of(ErrorCode::kInternal));
}

}  // namespace
}  // namespace yolod::worker
