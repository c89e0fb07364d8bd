#include "app/schedule/dispatcher.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <string>
#include <utility>

#include "app/schedule/completion_check.hpp"
#include "app/schedule/replay_policy.hpp"
#include "common/awake_clock.hpp"
#include "common/fault_point.hpp"
#include "ipc/options_codec.hpp"

namespace yolod::app::schedule {
namespace {

namespace asio = boost::asio;
using common::AwakeClock;
using common::Clock;
using common::Error;
using common::ErrorCode;

// A deadline may be noticed this much too late, so that one sweep handles several deadlines.
constexpr std::chrono::milliseconds kLateness{20};

// The event loop reads this much of the workers' results in one turn, which takes about 0.1 ms, and at least the second
// amount of each worker's results.
constexpr std::size_t kReadAtOnceBytes = 256 * 1024;
constexpr std::size_t kLeastReadBytes = 32 * 1024;

constexpr const char* kTooLate = "the server has no answer within the request's timeout";
constexpr const char* kQueueTooSlow = "the server is too busy: no worker is free within queue.timeout";
constexpr const char* kNoWorker = "the model has no ready worker";

// Returns a value that is equal for requests that gain from a common batch. All pictures are scaled to the network's
// size. Tensors have different sizes and are computed one by one, so a short tensor should not wait for a long one.
// With batch.max_rows the rows of all requests are computed together, unless the rows themselves have different sizes.
std::uint64_t shape_of(const common::ModelConfig& config, const Job& job) {
  if (config.task != common::Task::kTensor) return 0;
  const auto has_open_rows = [](const common::TensorConfig& tensor) {
    return std::find(tensor.shape.begin() + 1, tensor.shape.end(), -1) != tensor.shape.end();
  };
  if (config.batch.max_rows != 0 && std::none_of(config.inputs.begin(), config.inputs.end(), has_open_rows)) return 0;
  return job.content.size();
}

}  // namespace

Dispatcher::Dispatcher(asio::io_context& io, const common::ModelConfig& config, observe::ModelMetrics& metrics,
                       CompletionPoll& completion_poll, NextWorker next_worker)
    : io_(io),
      config_(&config),
      metrics_(metrics),
      completion_poll_(completion_poll),
      next_worker_(std::move(next_worker)),
      sweep_timer_(io, [this] { sweep(); }),
      policy_timer_(io, [this] { dispatch_waiting(AwakeClock::now()); }),
      suspicion_(metrics),
      hashing_(io, [this](std::unique_ptr<Request> request) { hashed(std::move(request)); }),
      sizing_(config.batch) {}

void Dispatcher::use(const common::ModelConfig& config) {
  config_ = &config;
  closed_.reset();
  suspicion_.clear();
  sizing_.use(config.batch);
}

common::Outcome<void> Dispatcher::admit(const Urgency& urgency) {
  const auto now = AwakeClock::now();
  sizing_.arrived(now);
  return check_admission(urgency, now);
}

common::Outcome<void> Dispatcher::check_admission(const Urgency& urgency, Clock::time_point now) const {
  if (closed_) return *closed_;
  if (!description_) return Error{ErrorCode::kNotReady, "the model is still loading"};
  if (queue_.size(urgency.priority) + hashing_.size() >= config_->queue.max_size) {
    return Error{ErrorCode::kQueueFull, "the server is too busy: the model's queue is full"};
  }
  if (!fleet_.any_serves()) {
    const auto next = next_worker_();
    if (!next || *next > now + config_->queue.timeout) {
      return Error{ErrorCode::kNotReady, kNoWorker};
    }
  }
  if (queue_.empty()) return {};  // the usual case
  const auto ahead = queue_.ahead_of(urgency.priority, expiry_of(urgency, now));
  const auto deadline = std::min(urgency.deadline, now + config_->request_timeout);
  switch (admission(backlog(ahead, now), {config_->queue.timeout, deadline - now})) {
    case Admission::kAdmit: return {};
    case Admission::kQueueFull: return Error{ErrorCode::kQueueFull, kQueueTooSlow};
    case Admission::kTooLate: break;
  }
  return Error{ErrorCode::kDeadlineExceeded, "the server is too busy to answer within the request's timeout"};
}

Clock::time_point Dispatcher::expiry_of(const Urgency& urgency, Clock::time_point now) const {
  return std::min({urgency.deadline, now + config_->request_timeout, now + config_->queue.timeout});
}

Backlog Dispatcher::backlog(std::size_t ahead, Clock::time_point now) const {
  return fleet_.backlog(ahead, sizing_.times(), now);
}

std::uint32_t Dispatcher::retry_after_seconds() const {
  const auto now = AwakeClock::now();
  if (fleet_.any_serves()) return schedule::retry_after_seconds(backlog(queue_.size(), now));
  const auto next = next_worker_();
  return schedule::retry_after_seconds(next ? *next - now : Clock::duration::max());
}

const BatchLimits& Dispatcher::batch_limits() const { return sizing_.limits(fleet_.serving_count()); }

void Dispatcher::cancel(std::uint64_t id) {
  const Error gone{ErrorCode::kClientGone, "the client is gone"};
  hashing_.for_each([&](Request& request) {
    if (request.id() == id) fail(request, gone);
  });
  const auto waiting = queue_.remove(id);
  if (!waiting) return;
  fail(*waiting, gone);
  metrics_.queue_depth(queue_.size());
}

void Dispatcher::ask(Job job, AnswerHandler handler) {
  auto request = std::make_unique<Request>();
  request->job = std::move(job);
  request->handler = std::move(handler);
  const Urgency urgency = request->job.urgency;
  const auto now = AwakeClock::now();
  request->admitted = request->queued = now;
  request->deadline = std::min(urgency.deadline, now + config_->request_timeout);
  request->expires = expiry_of(urgency, now);
  request->shape = shape_of(*config_, request->job);
  ++unanswered_count_;
  // The queue may have filled, or a stop begun, since admit().
  if (auto admitted = check_admission(urgency, now); !admitted) {
    answer(*request, {admitted.error(), {}, 0, nullptr});
    return;
  }
  try_enqueue(std::move(request), now);
}

void Dispatcher::try_enqueue(std::unique_ptr<Request> request, Clock::time_point now) {
  if (suspicion_.must_be_hashed(*request)) {
    sweep_by(gives_up_at(*request), request->queued);
    hashing_.add(std::move(request));
    return;
  }
  if (!may_run(*request)) return;
  enqueue(std::move(request));
  dispatch_waiting(now);
}

void Dispatcher::hashed(std::unique_ptr<Request> request) {
  if (const auto blame = std::exchange(request->pending_blame, std::nullopt)) {
    settle_after_death(std::move(request), *blame);
    dispatch_waiting(AwakeClock::now());
  } else if (!request->answered()) {
    try_enqueue(std::move(request), AwakeClock::now());
  }
}

bool Dispatcher::may_run(Request& request) {
  // Few requests have a hash, so most need no time.
  if (suspicion_.look_up(request, request.hash ? AwakeClock::now() : Clock::time_point{})) return true;
  fail(request, {ErrorCode::kQuarantined, "workers died of this image; the server refuses it for some time"});
  return false;
}

void Dispatcher::answer(Request& request, Answer&& answer) {
  --unanswered_count_;
  // The handler runs in a later turn, because this call may be in the middle of a change. Asio moves the posted
  // function several times, so it has a pointer to the answer.
  auto delivery = std::make_unique<Delivery>(std::move(request.handler), std::move(answer));
  asio::post(io_, [delivery = std::move(delivery)] { delivery->handler(std::move(delivery->answer)); });
}

void Dispatcher::fail(Request& request, Error why) {
  if (!request.answered()) answer(request, {std::move(why), {}, 0, nullptr});
}

void Dispatcher::worker_ready(WorkerPort& worker) {
  description_ = fleet_.add(worker).description();
  sizing_.worker_ready(*description_);
  metrics_.loaded(worker.load_time());
  dispatch_waiting(AwakeClock::now());
}

void Dispatcher::look_again() {
  if (!queue_.empty()) dispatch_waiting(AwakeClock::now());
}

void Dispatcher::dispatch_waiting(Clock::time_point now) {
  if (together_ != 0) return;
  std::optional<Clock::time_point> ask_again;
  while (!queue_.empty()) {
    BatchDecision decision;
    Assignment* const assignment = choose_worker(decision, now);
    if (assignment == nullptr) {
      ask_again = decision.ask_again;
      break;
    }
    take_batch(decision.size, decision.to == BatchGoesTo::kIdleWorker, now);
    if (batch_.empty()) break;  // all waiting requests wait for another event
    dispatch(*assignment, now);
  }
  policy_timer_.set(ask_again);
  metrics_.queue_depth(queue_.size());
}

Assignment* Dispatcher::choose_worker(BatchDecision& decision, Clock::time_point now) {
  const BatchLimits& limits = batch_limits();
  const ServiceTimes& times = sizing_.times();
  WaitingRequests waiting{queue_.count_like_front(), {}, {}};
  const auto lead = sizing_.handover_lead(std::min(waiting.count, limits.max_size), description_->decodes_ahead);
  const auto choice = fleet_.choose(times, lead, now);
  if (choice.idle == nullptr && choice.busy == nullptr) return nullptr;
  if (limits.max_wait > Clock::duration::zero()) {
    waiting.oldest = queue_.oldest();
    waiting.latest_start = queue_.earliest_expiry() - times.of_batch(waiting.count).value_or(Clock::duration::zero());
  }
  decision = next_batch(limits, waiting, choice.workers, now);
  const WorkerView* const chosen = decision.to == BatchGoesTo::kIdleWorker   ? choice.idle
                                   : decision.to == BatchGoesTo::kBusyWorker ? choice.busy
                                                                             : nullptr;
  if (chosen == nullptr) return nullptr;
  decision.size = std::min(decision.size, chosen->assignment->max_batch_size());
  if (const auto left = chosen->assignment->left_before_recycling(); left.value_or(0) != 0) {
    decision.size = static_cast<std::size_t>(std::min<std::uint64_t>(decision.size, *left));
  }
  return chosen->assignment;
}

// A batch has requests of one shape, in the order of service. A suspect, and a request that was replayed often, goes
// alone and to an idle worker; no request waits behind it. If a worker may hold a copy of a suspect, the suspect
// waits for its end and other requests pass it.
void Dispatcher::take_batch(std::size_t most, bool to_idle_worker, Clock::time_point now) {
  batch_.clear();
  bool has_all = false;
  using Verdict = PendingQueue::Verdict;
  const auto judge = [&](Request& waiting) {
    if (has_all || batch_.size() == most) return Verdict::kStop;
    if (give_up_if_late(waiting, now)) return Verdict::kDrop;
    if (waiting.job.options.annotate && !config_->detect.annotate) {  // a reload has changed the config
      fail(waiting, {ErrorCode::kInvalidParameter, "the model's config no longer allows annotate"});
      return Verdict::kDrop;
    }
    if (suspicion_.must_be_hashed(waiting)) return Verdict::kTake;
    if (!may_run(waiting)) return Verdict::kDrop;
    const bool suspect = waiting.runs_alone();
    const bool alone = suspect || !may_share_batch(waiting.replays);
    if (suspect && fleet_.may_hold_copy(waiting)) return Verdict::kLeave;
    if (alone && (!batch_.empty() || !to_idle_worker)) return Verdict::kStop;
    if (!batch_.empty() && waiting.shape != batch_.front()->shape) return Verdict::kLeave;
    has_all = alone;
    return Verdict::kTake;
  };
  queue_.take_in_order(judge, [this](std::unique_ptr<Request> taken) {
    if (suspicion_.must_be_hashed(*taken)) {
      hashing_.add(std::move(taken));
    } else {
      batch_.push_back(std::move(taken));
    }
  });
}

// Gives the requests in batch_ to the worker.
void Dispatcher::dispatch(Assignment& assignment, Clock::time_point now) {
  ipc::LaneOwner& lane = assignment.worker().lane();
  const std::size_t size = batch_.size();
  assignment.begin_batch(size, batch_.front()->runs_alone() || !may_share_batch(batch_.front()->replays), now);
  std::uint32_t rows = 0;
  for (const auto& request : batch_) rows += request->job.rows;
  bool refused = false;
  for (std::size_t i = 0; i < size; ++i) {
    Request& request = *batch_[i];
    request.dispatched = now;
    request.batch_rows = rows;
    ipc::RequestCell cell{};
    cell.id = request.id();
    cell.content_offset = request.job.content_offset;
    cell.content_bytes = request.job.content.size();
    cell.content_kind = static_cast<std::uint8_t>(request.job.kind);
    cell.batch_remaining = static_cast<std::uint32_t>(size - 1 - i);
    auto options = request.job.options;
    if (options.max_detections) {  // a reload may have lowered it since the request was parsed
      options.max_detections = std::min(*options.max_detections, assignment.worker().config().detect.max_detections);
    }
    ipc::encode_options(options, cell);
    cell.slot = assignment.give(std::move(batch_[i]));
    refused = refused || lane.push_request(cell) != ipc::PushResult::kPushed;
    common::reach(common::FaultPoint::kFrontEndPushed);
  }
  batch_.clear();
  assignment.worker().set_outstanding(assignment.outstanding());
  sweep_by(assignment.hangs_at(), now);
  metrics_.batch(size, rows);
  if (refused) {  // the worker's death returns all its requests
    assignment.worker().condemn("its request ring is corrupt");
    return;
  }
  lane.publish_requests();
  common::reach(common::FaultPoint::kFrontEndPublished);
  assignment.worker().wake();
  completion_poll_.work_dispatched(AwakeClock::real_time(now));
  common::reach(common::FaultPoint::kFrontEndWoke);
}

void Dispatcher::worker_completions(WorkerPort& worker) {
  Assignment* const assignment = fleet_.find(worker);
  if (assignment == nullptr) return;  // it rang before it was ready, so its lane holds no request
  completion_poll_.doorbell_rang();
  if (take_from(*assignment, kReadAtOnceBytes)) dispatch_waiting(AwakeClock::now());
  if (fleet_.has_completions()) completion_poll_.completions_left();
}

bool Dispatcher::take_from(Assignment& assignment, std::size_t budget_bytes) {
  if (!assignment.lane_is_corrupt && drain_completions(assignment, budget_bytes)) {
    if (assignment.left_before_recycling() == 0U) assignment.worker().recycle();
    return true;
  }
  assignment.lane_is_corrupt = true;
  assignment.worker().condemn("it wrote an invalid completion to its lane");
  return false;
}

void Dispatcher::take_completions() {
  bool found = false;
  std::size_t count = 0;
  fleet_.for_each_with_completions([&](Assignment& /*assignment*/) { ++count; });
  const std::size_t share = std::max(kReadAtOnceBytes / std::max<std::size_t>(count, 1), kLeastReadBytes);
  fleet_.for_each_with_completions([&](Assignment& assignment) { found = take_from(assignment, share) || found; });
  if (found) dispatch_waiting(AwakeClock::now());
}

bool Dispatcher::drain_completions(Assignment& assignment, std::size_t budget_bytes) {
  if (!read_completions(assignment, budget_bytes)) return false;
  assignment.worker().set_outstanding(assignment.outstanding());
  // Fewer pictures are left to decode, so the worker counts as hung earlier.
  if (assignment.outstanding() != 0) sweep_by(assignment.hangs_at(), AwakeClock::now());
  return true;
}

bool Dispatcher::read_completions(Assignment& assignment, std::size_t budget_bytes) {
  using State = ipc::PredictionReader::State;
  for (;;) {
    if (auto& reading = assignment.reading) {
      const auto state = reading->result.step(assignment.worker().lane(), budget_bytes);
      if (state == State::kMore) return true;
      if (state == State::kCorrupt) {
        reading.reset();
        return false;
      }
      const auto completion = reading->completion;
      common::Outcome<common::Prediction> prediction = reading->result.take();
      reading.reset();
      if (!could_predict(*prediction, assignment.worker().config(), assignment.in_slot(completion.slot)->job.options,
                         *assignment.description())) {
        return false;
      }
      take_completion(assignment, completion, std::move(prediction));
    }
    if (budget_bytes == 0) return true;
    ipc::CompletionCell completion{};
    switch (assignment.worker().lane().pop_completion(completion)) {
      case ipc::PopResult::kEmpty: return true;
      case ipc::PopResult::kCorrupt: return false;
      case ipc::PopResult::kPopped: break;
    }
    if (!begin_reading(assignment, completion)) return false;
  }
}

bool Dispatcher::begin_reading(Assignment& assignment, const ipc::CompletionCell& completion) {
  const Request* const held = assignment.in_slot(completion.slot);
  if (held == nullptr || held->id() != completion.id) return false;
  ipc::LaneOwner& lane = assignment.worker().lane();
  if (completion.error_code == 0) {
    assignment.reading.emplace(completion);
    return completion.result_bytes <= lane.geometry().result_slot_bytes;
  }
  if (completion.result_bytes > lane.geometry().result_slot_bytes) return false;
  const auto text =
      lane.copy_result(completion.slot, std::min<std::uint64_t>(completion.result_bytes, kMostErrorTextBytes));
  auto error = text ? workers_error(completion.error_code, *text) : std::nullopt;
  if (!error) return false;
  take_completion(assignment, completion, *std::move(error));
  return true;
}

void Dispatcher::take_completion(Assignment& assignment, const ipc::CompletionCell& completion,
                                 common::Outcome<common::Prediction>&& prediction) {
  const auto now = AwakeClock::now();
  const Request* const held = assignment.in_slot(completion.slot);
  Answer made{std::move(prediction),
              {completion.decode_us, completion.infer_us, completion.post_us},
              common::elapsed_us(held->admitted, held->dispatched),
              assignment.description()};
  common::reach(common::FaultPoint::kFrontEndTook);

  std::optional<Assignment::Finished> finished;
  const bool predicted = made.prediction.ok();
  // The destructor of `request` frees its block in the arena.
  const auto request = assignment.take(completion.slot, predicted, now, finished);
  // If every request of a batch was refused, its time does not tell how long work takes.
  if (finished && finished->predicted != 0) sizing_.served(finished->predicted, finished->took);
  if (predicted) sizing_.decoded(completion.decode_us);
  assignment.fails = !predicted && made.prediction.error().code == ErrorCode::kInternal;
  suspicion_.answered(*request);
  assignment.worker().answered(predicted);
  if (!request->answered()) {
    sizing_.answered(now - request->admitted);
    metrics_.served(made.queue_us, made.times, common::elapsed_us(request->admitted, now));
    if (predicted) metrics_.predicted(made.queue_us, made.times, request->job.rows, request->batch_rows);
    answer(*request, std::move(made));
  }
}

bool Dispatcher::worker_ended(WorkerPort& worker, WorkerEnd end) {
  auto node = fleet_.take(worker);
  if (node.empty()) return false;
  Assignment& assignment = node.mapped();
  // The worker may have finished completions before its death. They count.
  assignment.lane_is_corrupt = assignment.lane_is_corrupt || !drain_completions(assignment, SIZE_MAX);
  // A worker also counts as at work if its marks say that it had begun nothing, and if it has just answered, because
  // an earlier request may have damaged its process. The class RequestDeaths keeps the number of such deaths.
  const bool at_work = assignment.outstanding() != 0 || worker.requests_served() != 0;
  DeathSummary summary;
  for (std::uint32_t slot = 0; slot < assignment.slots().size(); ++slot) {
    if (assignment.in_slot(slot) != nullptr) summary.add(assignment.evidence(slot));
  }
  for (std::uint32_t slot = 0; slot < assignment.slots().size(); ++slot) {
    if (assignment.in_slot(slot) == nullptr) continue;
    const Blame held_against = blame(end, assignment.evidence(slot), summary);
    auto request = std::move(assignment.slots()[slot]);
    if (held_against != Blame::kNone && !request->hash) {
      request->pending_blame = held_against;
      hashing_.add(std::move(request));
    } else {
      settle_after_death(std::move(request), held_against);
    }
  }
  dispatch_waiting(AwakeClock::now());
  return at_work;
}

void Dispatcher::settle_after_death(std::unique_ptr<Request> request, Blame blame) {
  suspicion_.record_blame(*request, blame, config_->name, AwakeClock::now());
  if (request->answered()) return;
  if (after_death(request->standing, request->replays) == AfterDeath::kFail) {
    fail(*request, {ErrorCode::kWorkerCrashed, "the worker died while it worked on this request"});
    return;
  }
  common::reach(common::FaultPoint::kFrontEndReplays);
  ++request->replays;
  metrics_.replayed();
  requeue(std::move(request));
}

void Dispatcher::requeue(std::unique_ptr<Request> request) {
  if (closed_) {
    fail(*request, *closed_);
    return;
  }
  request->queued = AwakeClock::now();
  enqueue(std::move(request));
}

void Dispatcher::enqueue(std::unique_ptr<Request> request) {
  sweep_by(gives_up_at(*request), request->queued);
  queue_.push(std::move(request));
}

void Dispatcher::close(Error why) {
  closed_ = std::move(why);
  hashing_.for_each([this](Request& request) { fail(request, *closed_); });
  queue_.remove_if([this](Request& waiting) {
    fail(waiting, *closed_);
    return true;
  });
  policy_timer_.set(std::nullopt);
  metrics_.queue_depth(0);
}

void Dispatcher::shut_down() {
  close({ErrorCode::kShuttingDown, "the server is stopping"});
  fleet_.for_each_request([this](Request& request) { fail(request, *closed_); });
}

// ---- deadlines ----

// All requests that wait or that workers hold share this timer. It is seldom set again, because later requests
// mostly have later deadlines.
void Dispatcher::sweep_by(Clock::time_point when, Clock::time_point now) {
  sweep_timer_.set_by(std::max(when, now + kLateness));
}

void Dispatcher::sweep() {
  const auto now = AwakeClock::now();
  suspicion_.release(now);
  const auto next = std::min(sweep_queue(now), sweep_fleet(now));
  if (next != Clock::time_point::max()) sweep_by(next, now);
  metrics_.queue_depth(queue_.size());
}

// A request that cannot be answered in time is refused early, while its client can still use another server. A
// replayed request waits until its deadline, because it was accepted and must not be lost.
Clock::time_point Dispatcher::gives_up_at(const Request& waiting) const {
  if (waiting.replays != 0) return waiting.deadline;
  const auto shortest = sizing_.times().of_batch(1).value_or(Clock::duration::zero());
  return std::min(waiting.deadline - shortest, waiting.queued + config_->queue.timeout);
}

Clock::time_point Dispatcher::sweep_queue(Clock::time_point now) {
  auto next = Clock::time_point::max();
  hashing_.for_each([&](Request& waiting) {
    if (!waiting.answered() && !give_up_if_late(waiting, now)) next = std::min(next, gives_up_at(waiting));
  });
  queue_.remove_if([&](Request& waiting) {
    if (give_up_if_late(waiting, now)) return true;
    next = std::min(next, gives_up_at(waiting));
    return false;
  });
  return next;
}

bool Dispatcher::give_up_if_late(Request& waiting, Clock::time_point now) {
  if (now < gives_up_at(waiting)) return false;
  const bool had_its_time = waiting.replays == 0 && now - waiting.queued >= config_->queue.timeout;
  if (had_its_time && !fleet_.any_serves()) {
    fail(waiting, {ErrorCode::kNotReady, kNoWorker});
    return true;
  }
  fail(waiting,
       had_its_time ? Error{ErrorCode::kQueueFull, kQueueTooSlow} : Error{ErrorCode::kDeadlineExceeded, kTooLate});
  return true;
}

Clock::time_point Dispatcher::sweep_fleet(Clock::time_point now) {
  auto next = Clock::time_point::max();
  fleet_.for_each_request([&](Request& request) {
    if (request.answered()) return;
    if (now >= request.deadline) {
      fail(request, {ErrorCode::kDeadlineExceeded, kTooLate});
    } else {
      next = std::min(next, request.deadline);
    }
  });
  return std::min(next, fleet_.condemn_hung(now));
}

}  // namespace yolod::app::schedule
