#include "app/schedule/dispatcher.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <utility>

#include "app/schedule/batch_policy.hpp"
#include "app/schedule/replay_policy.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"
#include "ipc/messages.hpp"

namespace yolod::app {
namespace {

namespace asio = boost::asio;
using common::Clock;
using common::Error;
using common::ErrorCode;

// How late a deadline may be noticed. One timer for all requests: arming one for each would cost more than the sweep.
constexpr std::chrono::milliseconds kSweepPeriod{20};

// The codes that a worker may answer with: the client's picture, tensors or options, or its own failure.
bool is_workers_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest:
    case ErrorCode::kInvalidImage:
    case ErrorCode::kImageTooLarge:
    case ErrorCode::kUnsupportedMediaType:
    case ErrorCode::kInvalidParameter:
    case ErrorCode::kInternal: return true;
    default: return false;
  }
}

// A worker's error text goes to the client for what is the client's doing: it is bounded, and kept to printable ASCII.
std::string printable(const std::vector<std::byte>& bytes) {
  constexpr std::size_t kLongest = 300;
  std::string text;
  for (const std::byte byte : bytes) {
    const auto character = static_cast<unsigned char>(byte);
    if (text.size() == kLongest) break;
    text.push_back(character >= 0x20 && character < 0x7F ? static_cast<char>(character) : '?');
  }
  return text;
}

// Whether a model of this config could answer so.
bool fits_task(const common::Prediction& prediction, const common::ModelConfig& config) {
  if (std::holds_alternative<common::IdentitySource>(config.source)) {
    return std::holds_alternative<common::IdentityAnswer>(prediction);
  }
  const auto* const file = std::get_if<common::EncodedFile>(&prediction);
  switch (config.task) {
    case common::Task::kDetect: return std::holds_alternative<common::DetectionList>(prediction);
    case common::Task::kClassify: return std::holds_alternative<common::ClassificationList>(prediction);
    case common::Task::kImage:
      return file != nullptr && (file->type == common::FileType::kJpeg || file->type == common::FileType::kPng);
    case common::Task::kTensor:
      return file != nullptr && (file->type == common::FileType::kNpy || file->type == common::FileType::kNpz);
  }
  return false;
}

bool labels_exist(const common::Prediction& prediction, const common::ModelDescription& description) {
  const auto exist = [&](const auto& list) {
    return std::all_of(list.begin(), list.end(),
                       [&](const auto& item) { return item.class_id < description.labels.size(); });
  };
  if (const auto* const list = std::get_if<common::DetectionList>(&prediction)) return exist(list->detections);
  if (const auto* const list = std::get_if<common::ClassificationList>(&prediction)) {
    return exist(list->classifications);
  }
  return true;
}

}  // namespace

Dispatcher::Dispatcher(asio::io_context& io, const common::ModelConfig& config, ModelMetrics& metrics)
    : io_(io), config_(&config), metrics_(metrics), sweep_timer_(io) {}

void Dispatcher::use(const common::ModelConfig& config) {
  config_ = &config;
  closed_.reset();
  quarantine_.clear();
}

common::Outcome<void> Dispatcher::admit() const {
  if (closed_) return *closed_;
  if (!description_) return Error{ErrorCode::kNotReady, "the model is still loading"};
  if (queue_.size() >= config_->queue.max_size) return Error{ErrorCode::kQueueFull, "too busy"};
  return {};
}

asio::awaitable<Answer> Dispatcher::predict(PredictionJob job) {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(Answer)>(
      [this](auto handler, PredictionJob submitted) {
        submit(std::move(submitted), AnswerHandler::from(std::move(handler)));
      },
      asio::use_awaitable, std::move(job));
}

void Dispatcher::cancel(std::uint64_t id) {
  const auto waiting = std::find_if(queue_.begin(), queue_.end(), [id](const auto& one) { return one->id() == id; });
  if (waiting == queue_.end()) return;
  fail(**waiting, {ErrorCode::kClientGone, "the client is gone"});
  queue_.erase(waiting);
  metrics_.queue_depth(queue_.size());
}

void Dispatcher::submit(PredictionJob job, AnswerHandler handler) {
  auto request = std::make_unique<Request>();
  request->job = std::move(job);
  request->handler = std::move(handler);
  request->admitted = request->queued = Clock::now();
  request->deadline = request->admitted + config_->request_timeout;
  ++unanswered_count_;
  if (auto admitted = admit(); !admitted) {  // since its header was read the queue may have filled, or a stop begun
    answer(*request, {admitted.error(), {}, 0, nullptr});
    return;
  }
  if (!may_run(*request)) return;
  queue_.push_back(std::move(request));
  arm_sweep();
  dispatch_waiting();
}

bool Dispatcher::may_run(Request& request) {
  if (quarantine_.empty()) {  // nothing is hashed while nothing is known
    request.standing = Standing::kUnknown;
    return true;
  }
  if (!request.hash) request.hash = hash_body(request.image());
  request.standing = quarantine_.standing(*request.hash, Clock::now());
  if (request.standing != Standing::kQuarantined) return true;
  fail(request, {ErrorCode::kQuarantined, "workers died of this image; it is refused for a time"});
  return false;
}

void Dispatcher::answer(Request& request, Answer answer) {
  --unanswered_count_;
  // Posted: the session goes on once we are done here, not in the middle of it.
  asio::post(io_, [handler = std::move(request.handler), answer = std::move(answer)]() mutable {
    handler(std::move(answer));
  });
}

void Dispatcher::fail(Request& request, Error why) {
  if (!request.answered()) answer(request, {std::move(why), {}, 0, nullptr});
}

void Dispatcher::worker_ready(WorkerProcess& worker, Supervisor& supervisor) {
  Assignment& assignment = assignments_[&worker];
  assignment.worker = &worker;
  assignment.supervisor = &supervisor;
  assignment.slots.resize(worker.lane().geometry().slot_count);
  assignment.previous_ids.resize(worker.lane().geometry().slot_count);
  assignment.description = std::make_shared<const common::ModelDescription>(worker.description());
  description_ = assignment.description;
  metrics_.loaded(supervisor.load_time(worker));
  dispatch_waiting();
}

void Dispatcher::dispatch_waiting() {
  while (!queue_.empty()) {
    std::size_t idle_count = 0;
    Assignment* idle = nullptr;
    for (auto& [worker, assignment] : assignments_) {
      if (worker->state() != WorkerState::kReady) continue;
      ++idle_count;
      // The one that has rested longest, so that work spreads evenly.
      if (idle == nullptr || assignment.last_progress < idle->last_progress) idle = &assignment;
    }
    if (idle == nullptr) break;
    // A worker has room for batches of its own generation's size.
    const std::size_t most = std::min<std::size_t>(config_->batch.max_size, idle->slots.size());
    auto batch = take_batch(next_batch_size(queue_.size(), idle_count, most));
    if (batch.empty()) break;
    dispatch(*idle, std::move(batch));
  }
  metrics_.queue_depth(queue_.size());
}

// The first `most` of the queue. A suspect goes alone, as does one that was replayed often; nobody joins a batch behind
// one, and a suspect whose copy is with a worker waits for what becomes of that: others pass it.
std::vector<std::unique_ptr<Request>> Dispatcher::take_batch(std::size_t most) {
  std::vector<std::unique_ptr<Request>> batch;
  for (auto waiting = queue_.begin(); waiting != queue_.end() && batch.size() < most;) {
    if (!may_run(**waiting)) {
      waiting = queue_.erase(waiting);
      continue;
    }
    const bool suspect = (*waiting)->runs_alone();
    const bool alone = suspect || !may_have_company((*waiting)->replays);
    if (suspect && copy_is_running(**waiting)) {
      ++waiting;
      continue;
    }
    if (alone && !batch.empty()) break;
    batch.push_back(std::move(*waiting));
    waiting = queue_.erase(waiting);
    if (alone) break;
  }
  return batch;
}

bool Dispatcher::copy_is_running(const Request& request) const {
  return std::any_of(assignments_.begin(), assignments_.end(), [&](const auto& entry) {
    return std::any_of(entry.second.slots.begin(), entry.second.slots.end(), [&](const auto& held) {
      if (!held || held->image().size() != request.image().size()) return false;
      // It may have gone to its worker when nothing was known, and nothing hashed.
      if (!held->hash) held->hash = hash_body(held->image());
      return held->hash == request.hash;
    });
  });
}

void Dispatcher::dispatch(Assignment& assignment, std::vector<std::unique_ptr<Request>> batch) {
  const auto now = Clock::now();
  ipc::LaneOwner& lane = assignment.worker->lane();
  std::uint32_t slot = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto& request = batch[i];
    while (assignment.slots[slot]) ++slot;  // the lane has more slots than a batch has requests
    request->dispatched = now;
    ipc::RequestCell cell{};
    cell.id = request->id();
    cell.body_offset = request->job.image_offset;
    cell.body_bytes = request->job.image_bytes;
    cell.slot = slot;
    cell.batch_remaining = static_cast<std::uint32_t>(batch.size() - 1 - i);
    ipc::encode_options(request->job.options, cell);
    const auto pushed = lane.push_request(cell);
    common::reach(common::FaultPoint::kFrontEndPushed);
    assignment.slots[slot] = std::move(request);
    ++assignment.outstanding;
    if (pushed != ipc::PushResult::kPushed) {  // its death brings everything back
      assignment.supervisor->condemn(*assignment.worker, "its request ring cannot be");
      for (++i; i < batch.size(); ++i) requeue(std::move(batch[i]));
    }
  }
  assignment.last_progress = now;
  assignment.worker->set_outstanding(assignment.outstanding);
  lane.publish_requests();
  common::reach(common::FaultPoint::kFrontEndPublished);
  assignment.worker->wake();
  common::reach(common::FaultPoint::kFrontEndWoke);
  metrics_.batch(batch.size());
}

void Dispatcher::worker_completions(WorkerProcess& worker) {
  const auto found = assignments_.find(&worker);
  if (found == assignments_.end()) return;  // rang before it was ready: there is nothing of ours in its lane
  if (!drain_completions(found->second)) {
    found->second.supervisor->condemn(worker, "it wrote to its lane what cannot be");
    return;
  }
  dispatch_waiting();
}

bool Dispatcher::drain_completions(Assignment& assignment) {
  ipc::CompletionCell completion{};
  for (;;) {
    switch (assignment.worker->lane().pop_completion(completion)) {
      case ipc::PopResult::kEmpty: assignment.worker->set_outstanding(assignment.outstanding); return true;
      case ipc::PopResult::kCorrupt: return false;
      case ipc::PopResult::kPopped: break;
    }
    if (!take_completion(assignment, completion)) return false;
  }
}

bool Dispatcher::take_completion(Assignment& assignment, const ipc::CompletionCell& completion) {
  if (completion.slot >= assignment.slots.size()) return false;
  const auto& held = assignment.slots[completion.slot];
  if (!held || held->id() != completion.id) return false;
  const auto bytes = assignment.worker->lane().copy_result(completion.slot, completion.result_bytes);
  if (!bytes) return false;

  Answer made;
  if (completion.error_code == 0) {
    auto prediction = ipc::decode_prediction(*bytes);
    if (!prediction || !fits_task(*prediction, assignment.supervisor->config()) ||
        !labels_exist(*prediction, *assignment.description)) {
      return false;
    }
    made.prediction = std::move(*prediction);
  } else {
    const auto code = common::error_code_from(completion.error_code);
    if (!code || !is_workers_code(*code)) return false;
    made.prediction = Error{*code, printable(*bytes)};
  }
  common::reach(common::FaultPoint::kFrontEndTook);
  const auto now = Clock::now();
  made.times = {completion.decode_us, completion.infer_us, completion.post_us};
  made.queue_us = common::elapsed_us(held->admitted, held->dispatched);
  made.model = assignment.description;

  const auto request = std::move(assignment.slots[completion.slot]);  // frees its place in the arena at the end
  assignment.previous_ids[completion.slot] = request->id();
  --assignment.outstanding;
  if (request->runs_alone()) quarantine_.acquit(*request->hash);
  ++assignment.worker->requests_served;
  assignment.last_progress = now;
  if (!request->answered()) {
    metrics_.served(made.queue_us, made.times, common::elapsed_us(request->admitted, now));
    answer(*request, std::move(made));
  }
  return true;
}

void Dispatcher::worker_died(WorkerProcess& worker, DeathCause cause) {
  auto node = assignments_.extract(&worker);
  if (node.empty()) return;
  Assignment& assignment = node.mapped();
  // What it finished counts. A lane that lies about that may lie about what was running as well.
  const bool sane = drain_completions(assignment);
  std::vector<BodyHash> struck;
  for (std::uint32_t slot = 0; slot < assignment.slots.size(); ++slot) {
    auto request = std::move(assignment.slots[slot]);
    if (!request) continue;
    const bool was_running = !sane || worker.lane().running_id(slot) != assignment.previous_ids[slot];
    if (earns_strike(cause, was_running)) strike(*request, struck);
    if (request->answered()) continue;
    if (after_death(request->standing, request->replays) == AfterDeath::kFail) {
      fail(*request, {ErrorCode::kWorkerCrashed, "the worker died while it worked on this request"});
      continue;
    }
    common::reach(common::FaultPoint::kFrontEndReplays);
    ++request->replays;
    metrics_.replayed();
    requeue(std::move(request));
  }
  dispatch_waiting();
}

// Copies of one image in the batch that died count as one.
void Dispatcher::strike(Request& request, std::vector<BodyHash>& struck) {
  const auto now = Clock::now();
  if (!request.hash) request.hash = hash_body(request.image());
  if (std::find(struck.begin(), struck.end(), *request.hash) != struck.end()) {
    request.standing = quarantine_.standing(*request.hash, now);
    return;
  }
  struck.push_back(*request.hash);
  request.standing = quarantine_.strike(*request.hash, now);
  if (request.standing != Standing::kQuarantined) return;
  metrics_.quarantined();
  common::log_warning(
      "model {}: an image of {} bytes, SHA-256 {}..., is quarantined for {} min: two workers died of it", config_->name,
      request.image().size(), short_text(*request.hash), Quarantine::kTerm.count());
}

void Dispatcher::requeue(std::unique_ptr<Request> request) {
  if (closed_) {
    fail(*request, *closed_);
    return;
  }
  request->queued = Clock::now();
  const auto place =
      std::find_if(queue_.begin(), queue_.end(), [&](const auto& waiting) { return waiting->id() > request->id(); });
  queue_.insert(place, std::move(request));
  arm_sweep();
}

void Dispatcher::close(Error why) {
  closed_ = std::move(why);
  for (auto& request : queue_) fail(*request, *closed_);
  queue_.clear();
  metrics_.queue_depth(0);
}

void Dispatcher::shut_down() {
  close({ErrorCode::kShuttingDown, "the server is stopping"});
  for (auto& [worker, assignment] : assignments_) {
    for (auto& request : assignment.slots) {
      if (request) fail(*request, *closed_);
    }
  }
}

// ---- deadlines ----

void Dispatcher::arm_sweep() {
  if (sweep_armed_) return;
  sweep_armed_ = true;
  sweep_timer_.expires_after(kSweepPeriod);
  sweep_timer_.async_wait([this](boost::system::error_code failure) {
    if (!failure) sweep();
  });
}

void Dispatcher::sweep() {
  sweep_armed_ = false;
  const auto now = Clock::now();
  quarantine_.release(now);
  sweep_queue(now);
  sweep_assignments(now);
  const bool busy = std::any_of(assignments_.begin(), assignments_.end(),
                                [](const auto& entry) { return entry.second.outstanding != 0; });
  if (busy || !queue_.empty()) arm_sweep();
  metrics_.queue_depth(queue_.size());
}

void Dispatcher::sweep_queue(Clock::time_point now) {
  std::erase_if(queue_, [&](auto& request) {
    if (now >= request->deadline) {
      fail(*request, {ErrorCode::kDeadlineExceeded, "no answer within request_timeout"});
      return true;
    }
    // One that has been with a worker already waits for its own deadline: it was accepted, and is not to be lost.
    if (request->replays == 0 && now - request->queued >= config_->queue.timeout) {
      fail(*request, {ErrorCode::kQueueFull, "too busy"});
      return true;
    }
    return false;
  });
}

void Dispatcher::sweep_assignments(Clock::time_point now) {
  for (auto& [worker, assignment] : assignments_) {
    if (assignment.outstanding == 0) continue;
    for (auto& request : assignment.slots) {
      if (request && now >= request->deadline) {
        fail(*request, {ErrorCode::kDeadlineExceeded, "no answer within request_timeout"});
      }
    }
    if (now - assignment.last_progress >= config_->hang_timeout) {
      assignment.supervisor->condemn_hung(*worker, "no progress within hang_timeout");
    }
  }
}

}  // namespace yolod::app
