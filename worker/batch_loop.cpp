#include "worker/batch_loop.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/brief_spin.hpp"
#include "common/clock.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"
#include "ipc/control.hpp"
#include "ipc/doorbell.hpp"
#include "ipc/options_codec.hpp"
#include "ipc/prediction_codec.hpp"

namespace yolod::worker {
namespace {

using common::Error;
using common::ErrorCode;

// malloc keeps freed memory, so that the next batch does not fault it in page by page. A worker that was idle for
// this time returns the memory to the kernel.
constexpr std::chrono::seconds kQuietTime{10};

// The front-end reads a result of this size while the worker writes the next one.
constexpr std::uint64_t kPublishAtOnceBytes = 256 * 1024;

// Takes the cells of one batch. Returns kCorrupt also if a batch ends early, because the front-end publishes batches
// whole.
ipc::PopResult take_batch(ipc::LaneUser& lane, std::vector<ipc::RequestCell>& batch) {
  batch.clear();
  ipc::RequestCell cell{};
  do {
    const auto popped = lane.pop_request(cell);
    if (popped != ipc::PopResult::kPopped) return batch.empty() ? popped : ipc::PopResult::kCorrupt;
    batch.push_back(cell);
  } while (cell.batch_remaining != 0 && batch.size() < lane.geometry().slot_count);
  return ipc::PopResult::kPopped;
}

// Returns the size of the result.
std::uint64_t complete(ipc::LaneUser& lane, const ipc::RequestCell& request, const model::Output& output) {
  ipc::CompletionCell completion{};
  completion.id = request.id;
  completion.slot = request.slot;
  completion.decode_us = output.times.decode_us;
  completion.infer_us = output.times.infer_us;
  completion.post_us = output.times.post_us;
  const auto slot = lane.result_slot(request.slot);

  std::optional<Error> failure;
  if (!output.prediction.ok()) {
    failure = output.prediction.error();
  } else if (const auto bytes = ipc::encode_prediction(*output.prediction, slot)) {
    completion.result_bytes = *bytes;
  } else {
    failure = Error{ErrorCode::kInternal, "the answer is larger than its result slot"};
    common::log_warning("an answer is larger than its result slot of {} bytes: raise limits.max_result_bytes",
                        slot.size());
  }
  if (failure) {
    completion.error_code = static_cast<std::uint32_t>(failure->code);
    completion.result_bytes = std::min(failure->message.size(), slot.size());
    if (completion.result_bytes != 0) std::memcpy(slot.data(), failure->message.data(), completion.result_bytes);
  }
  common::reach(common::FaultPoint::kWorkerEncoded);
  // The ring has a cell for every slot, so it can be full only if the front-end broke the protocol.
  if (lane.push_completion(completion) != ipc::PushResult::kPushed) {
    common::log_error("completion ring refused request {}", request.id);
  }
  common::reach(common::FaultPoint::kWorkerPushed);
  return completion.result_bytes;
}

// Keeps one slot's RUNNING mark. The thread that holds the batch or works on its input calls it; never two threads at
// once.
class SlotMark final : public model::WorkMark {
 public:
  SlotMark(const ipc::LaneUser& lane, const ipc::RequestCell& request)
      : lane_(&lane), id_(request.id), slot_(request.slot) {}

  void taken() { mark(ipc::WorkPhase::kTaken); }
  void own_work_began() override { mark(ipc::WorkPhase::kOwnWork); }
  void own_work_ended(bool goes_on) override {
    goes_on_ = goes_on;
    mark(ipc::WorkPhase::kWaiting);
  }
  void computing() {
    if (goes_on_) mark(ipc::WorkPhase::kComputing);
  }

 private:
  void mark(ipc::WorkPhase phase) { lane_->mark_running(slot_, id_, phase); }

  const ipc::LaneUser* lane_;
  std::uint64_t id_;
  std::uint32_t slot_;
  bool goes_on_{true};
};

// The state of one batch that this process serves.
struct Batch {
  std::vector<ipc::RequestCell> requests;
  std::vector<SlotMark> marks;  // of the requests; the inputs point to them
  std::vector<model::Input> inputs;
  std::unique_ptr<model::Model::Decoded> decoded;
};

class BatchLoop {
 public:
  BatchLoop(model::Model& model, ipc::LaneUser& lane, const ipc::InputArenaView& arena, const Channels& channels,
            std::uint32_t cores)
      : model_(model), lane_(lane), arena_(arena), channels_(channels), spin_(cores) {}

  // Serves until the end, on the calling thread. Several threads may run it: one at a time waits for the next batch
  // and decodes it, and one at a time computes.
  void serve();
  // The same work for two threads: one decodes, the other computes.
  void decode_all();
  void compute_all();
  [[nodiscard]] LoopEnd end() const { return *end_; }

 private:
  // Returns false at the end.
  [[nodiscard]] bool take(Batch& batch);
  // Waits for a command because there is no request. Returns false at the end.
  [[nodiscard]] bool wait();
  // Returns true if a request arrives during a short spin.
  [[nodiscard]] bool spin();
  [[nodiscard]] bool open(Batch& batch);
  void decode(Batch& batch);
  [[nodiscard]] std::vector<model::Output> compute(Batch& batch);
  void answer(const Batch& batch, const std::vector<model::Output>& outputs);
  // Shows the completions to the front-end, and wakes it if it sleeps.
  void publish();

  model::Model& model_;
  ipc::LaneUser& lane_;
  const ipc::InputArenaView& arena_;
  const Channels& channels_;
  std::mutex taking_;        // guards the request ring, the control channel and the next three members
  std::mutex computing_;     // guards the model's network, the completion ring and the doorbell
  std::mutex handing_over_;  // guards the next two members
  std::optional<Batch> decoded_;
  bool all_decoded_{false};
  std::condition_variable handed_over_;
  common::BriefSpin spin_;
  bool stopping_{false};
  // True if a batch of several requests was answered since memory was last returned to the kernel. The memory of a
  // single request is needed again with every request, so it is kept.
  std::atomic<bool> keeps_memory_{false};
  std::optional<LoopEnd> end_;
};

void BatchLoop::serve() {
  Batch batch;
  for (;;) {
    std::unique_lock taking(taking_);
    if (end_ || !take(batch)) return;
    decode(batch);
    // Lock this mutex before the other is unlocked, so that batches are computed in the order in which they arrived.
    const std::unique_lock computing(computing_);
    taking.unlock();
    answer(batch, compute(batch));
  }
}

void BatchLoop::decode_all() {
  for (;;) {
    Batch batch;
    const bool taken = take(batch);
    if (taken) decode(batch);
    std::unique_lock lock(handing_over_);
    handed_over_.wait(lock, [this] { return !decoded_; });
    if (taken) {
      decoded_.emplace(std::move(batch));
    } else {
      all_decoded_ = true;
    }
    handed_over_.notify_all();
    if (!taken) return;
  }
}

void BatchLoop::compute_all() {
  for (;;) {
    std::unique_lock lock(handing_over_);
    handed_over_.wait(lock, [this] { return decoded_ || all_decoded_; });
    if (!decoded_) return;
    Batch batch = std::move(*decoded_);
    decoded_.reset();
    handed_over_.notify_all();
    lock.unlock();
    answer(batch, compute(batch));
  }
}

bool BatchLoop::take(Batch& batch) {
  for (;;) {
    switch (take_batch(lane_, batch.requests)) {
      case ipc::PopResult::kCorrupt: end_ = LoopEnd::kBrokenRequest; return false;
      case ipc::PopResult::kEmpty:
        if (!wait()) return false;
        continue;
      case ipc::PopResult::kPopped: break;
    }
    common::reach(common::FaultPoint::kWorkerTookBatch);
    if (open(batch)) return true;
    end_ = LoopEnd::kBrokenRequest;
    return false;
  }
}

bool BatchLoop::wait() {
  if (stopping_) {
    common::reach(common::FaultPoint::kWorkerStopped);
    end_ = LoopEnd::kStopped;
    return false;
  }
  if (spin() || !lane_.fall_asleep()) return true;
  if (keeps_memory_.load(std::memory_order_relaxed) && !ipc::command_comes_within(channels_.control, kQuietTime)) {
    keeps_memory_.store(false, std::memory_order_relaxed);
    malloc_trim(0);
  }
  auto command = ipc::wait_for_command(channels_.control);
  lane_.wake_up();
  spin_.end(common::Clock::now());
  if (!command) {
    end_ = LoopEnd::kStopped;
    return false;
  }
  // One check of the lane covers all wake-ups that have arrived.
  for (; command; command = ipc::poll_command(channels_.control)) stopping_ |= *command == ipc::Command::kStop;
  return true;
}

bool BatchLoop::spin() {
  spin_.begin(common::Clock::now());
  while (spin_.look_again()) {
    if (!lane_.has_requests()) continue;
    spin_.end(common::Clock::now());
    return true;
  }
  return false;
}

bool BatchLoop::open(Batch& batch) {
  batch.inputs.clear();
  batch.marks.clear();
  for (const ipc::RequestCell& request : batch.requests) batch.marks.emplace_back(lane_, request);
  for (std::size_t i = 0; i < batch.requests.size(); ++i) {
    const ipc::RequestCell& request = batch.requests[i];
    const auto body = arena_.body(request.content_offset, request.content_bytes);
    const auto options = ipc::decode_options(request);
    if (!body || !options || !common::is_content_kind(request.content_kind)) return false;
    if (request.slot >= lane_.geometry().slot_count) return false;
    batch.marks[i].taken();
    common::reach(common::FaultPoint::kWorkerMarkedRunning);
    model::Input input{*body, static_cast<common::ContentKind>(request.content_kind), *options};
    input.mark = &batch.marks[i];
    batch.inputs.push_back(input);
  }
  return true;
}

void BatchLoop::decode(Batch& batch) {
  batch.decoded.reset();
  if (!model_.decodes_ahead()) return;
  try {
    batch.decoded = model_.decode(batch.inputs);
  } catch (const std::exception& failure) {
    common::log_error("the model threw while it decoded: {}", failure.what());
  }
}

std::vector<model::Output> BatchLoop::compute(Batch& batch) {
  const std::size_t count = batch.inputs.size();
  if (batch.decoded) {  // other models work on one input at a time and set the mark themselves
    for (SlotMark& mark : batch.marks) mark.computing();
  }
  try {
    auto outputs = batch.decoded ? model_.run_decoded(std::move(batch.decoded)) : model_.run(batch.inputs);
    if (outputs.size() == count) return outputs;
    common::log_error("the model answered {} of {} inputs", outputs.size(), count);
  } catch (const std::exception& failure) {
    common::log_error("the model threw: {}", failure.what());
  }
  std::vector<model::Output> failed(count);
  for (auto& output : failed) output.prediction = Error{ErrorCode::kInternal, "the model failed on this request"};
  return failed;
}

void BatchLoop::answer(const Batch& batch, const std::vector<model::Output>& outputs) {
  common::reach(common::FaultPoint::kWorkerRan);
  for (std::size_t i = 0; i < batch.requests.size(); ++i) {
    const std::uint64_t bytes = complete(lane_, batch.requests[i], outputs[i]);
    if (bytes >= kPublishAtOnceBytes && i + 1 < batch.requests.size()) publish();
  }
  publish();
  if (batch.requests.size() > 1) keeps_memory_.store(true, std::memory_order_relaxed);
}

void BatchLoop::publish() {
  lane_.publish_completions();
  common::reach(common::FaultPoint::kWorkerPublished);
  if (arena_.front_end_sleeps()) ipc::ring_doorbell(channels_.doorbell);
  common::reach(common::FaultPoint::kWorkerRang);
}

}  // namespace

LoopEnd serve(model::Model& model, ipc::LaneUser& lane, const ipc::InputArenaView& arena, const Channels& channels,
              Decoding decoding, std::uint32_t cores) {
  BatchLoop server(model, lane, arena, channels, cores);
  if (decoding == Decoding::kInTurn || !model.decodes_ahead()) {
    server.serve();
  } else if (decoding == Decoding::kAheadApart) {
    std::thread decoder([&server] { server.decode_all(); });
    server.compute_all();
    decoder.join();
  } else {
    std::thread other([&server] { server.serve(); });
    server.serve();
    other.join();
  }
  return server.end();
}

}  // namespace yolod::worker
