// One model's scheduler: admits requests, keeps them in order, hands them to workers, takes the answers, and replays
// what a dead worker had. The private table of requests lives here.
//
// What it decides by is apart (admission, batch_policy, worker_choice, blame, replay_policy, completion_check), as is
// what it keeps (pending_queue, fleet, batch_sizing, suspicion). Its functions are the ways of a request between
// these.
//
// Front-end only, its one thread. Every admitted request is answered exactly once.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/observe/metrics.hpp"
#include "app/schedule/admission.hpp"
#include "app/schedule/assignment.hpp"
#include "app/schedule/batch_policy.hpp"
#include "app/schedule/batch_sizing.hpp"
#include "app/schedule/body_hashing.hpp"
#include "app/schedule/completion_poll.hpp"
#include "app/schedule/fleet.hpp"
#include "app/schedule/nearest_timer.hpp"
#include "app/schedule/pending_queue.hpp"
#include "app/schedule/request.hpp"
#include "app/schedule/suspicion.hpp"
#include "app/schedule/worker_port.hpp"
#include "common/config/model_config.hpp"
#include "common/domain/description.hpp"

namespace yolod::app::schedule {

class Dispatcher {
 public:
  // When a worker may be ready, where none serves; nothing: none will be.
  using NextWorker = std::function<std::optional<common::Clock::time_point>()>;

  // All outlive this object, the config until the next one is used.
  Dispatcher(boost::asio::io_context& io, const common::ModelConfig& config, observe::ModelMetrics& metrics,
             CompletionPoll& completion_poll, NextWorker next_worker);

  // From now on: for admission, the queue and batches. What was quarantined may try again, and a model that was closed
  // serves.
  void use(const common::ModelConfig& config);

  // A worker that is to get work from now on, until it has ended.
  void worker_ready(WorkerPort& worker);
  // It says that its lane holds completions.
  void worker_completions(WorkerPort& worker);
  // Its process is reaped, so nothing writes to its lane any more: takes what it had finished and replays the rest.
  // Whether it may have ended of a request that it worked on.
  bool worker_ended(WorkerPort& worker, WorkerEnd end);

  // Workers may have become free for what waits without a word of theirs. To be called every so often.
  void look_again();

  // What workers have completed, whether or not they have rung for it.
  [[nodiscard]] bool has_completions() const { return fleet_.has_completions(); }
  void take_completions();

  // Asked once for each request that comes: whether it may be read and submitted now: kNotReady before the model was
  // first ready, and where no worker will be ready within queue.timeout; kQueueFull, also where it would wait longer
  // than queue.timeout; kDeadlineExceeded where its deadline would pass before its answer; or why the model was closed.
  [[nodiscard]] common::Outcome<void> admit(const Urgency& urgency);

  // For Job::id. Requests are served in the order of these.
  [[nodiscard]] std::uint64_t new_id() { return next_id_++; }
  // Nobody waits for that request any more: kClientGone, if no worker has it. What a worker has it finishes.
  void cancel(std::uint64_t id);

  // Has `job` answered: `handler` is called once, later, from the event loop. Its errors are the worker's
  // (ipc/layout.hpp), kQueueFull after queue.timeout without a worker, kDeadlineExceeded, kWorkerCrashed, kQuarantined,
  // kClientGone, or why it was closed.
  void ask(Job job, AnswerHandler handler);

  // Answers what waits, and everything that comes later, with `why`. What workers have they finish.
  void close(common::Error why);
  // close() with kShuttingDown, and no worker is waited for either.
  void shut_down();

  // Every request is refused.
  [[nodiscard]] bool closed() const { return closed_.has_value(); }
  // Requests that have no answer yet.
  [[nodiscard]] std::size_t unanswered_count() const { return unanswered_count_; }
  [[nodiscard]] std::size_t queued_count() const { return queue_.size(); }
  // Seconds after which a refused client may try again: as long as what waits now will take.
  [[nodiscard]] std::uint32_t retry_after_seconds() const;
  // What batches are limited to now: by the config, or by what batch.target_p99 makes of it. Valid until the next call.
  [[nodiscard]] const BatchLimits& batch_limits() const;
  // How the model was described by the worker that was last ready; null before that.
  [[nodiscard]] const std::shared_ptr<const common::ModelDescription>& description() const { return description_; }

 private:
  [[nodiscard]] common::Outcome<void> may_enter(const Urgency& urgency) const;
  // Hands out what the policy says may go now, and has it asked again when it says so.
  void dispatch_waiting();
  // The worker that a batch should go to now, or null; else `decision` says when to ask again.
  [[nodiscard]] Assignment* choose_worker(BatchDecision& decision, common::Clock::time_point now);
  void dispatch(Assignment& assignment, common::Clock::time_point now);
  // Fills batch_ with what goes together, `most` at most.
  void take_batch(std::size_t most, bool to_idle_worker, common::Clock::time_point now);
  [[nodiscard]] Backlog backlog(std::size_t ahead) const;
  [[nodiscard]] common::Clock::time_point expiry_of(const Urgency& urgency, common::Clock::time_point now) const;
  // Into the queue, if what is known of the body allows it.
  void let_in(std::unique_ptr<Request> request);
  void hashed(std::unique_ptr<Request> request);
  // Looks up what is known of a request's body; false if it must not reach a worker: then it has been answered.
  [[nodiscard]] bool may_run(Request& request);
  // What becomes of a request whose worker died. `blame` is held against it; its body has been hashed if there is any.
  void settle_after_death(std::unique_ptr<Request> request, Blame blame);
  // False if it had to be condemned for what it says.
  bool take_from(Assignment& assignment);
  // False if what the lane held cannot be: nothing more may be read from it.
  [[nodiscard]] bool drain_completions(Assignment& assignment);
  [[nodiscard]] bool take_completion(Assignment& assignment, const ipc::CompletionCell& completion);
  void requeue(std::unique_ptr<Request> request);
  void answer(Request& request, Answer answer);
  void fail(Request& request, common::Error why);
  void enqueue(std::unique_ptr<Request> request);
  // Looks for deadlines that have passed, and at workers that hang; by then at the latest.
  void sweep_by(common::Clock::time_point when, common::Clock::time_point now);
  void sweep();
  // Until when a request that waits goes on waiting.
  [[nodiscard]] common::Clock::time_point gives_up_at(const Request& waiting) const;
  // If that is over: answers it, for whoever asks to take it out of the queue.
  bool give_up_if_late(Request& waiting, common::Clock::time_point now);
  // Each returns when there will be something for it to do; max() for never.
  [[nodiscard]] common::Clock::time_point sweep_queue(common::Clock::time_point now);
  [[nodiscard]] common::Clock::time_point sweep_fleet(common::Clock::time_point now);

  boost::asio::io_context& io_;
  const common::ModelConfig* config_;
  observe::ModelMetrics& metrics_;
  CompletionPoll& completion_poll_;
  const NextWorker next_worker_;
  NearestTimer sweep_timer_;   // something may be late then
  NearestTimer policy_timer_;  // the policy is asked again then
  std::optional<common::Error> closed_;
  std::uint64_t next_id_{1};
  std::size_t unanswered_count_{0};
  Suspicion suspicion_;
  BodyHashing hashing_;
  PendingQueue queue_;
  BatchSizing sizing_;
  Fleet fleet_;
  std::vector<std::unique_ptr<Request>> batch_;  // on its way from the queue to a worker
  std::shared_ptr<const common::ModelDescription> description_;
};

}  // namespace yolod::app::schedule
