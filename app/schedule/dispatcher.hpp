// Schedules one model's requests: it admits them, keeps them in order, gives them to workers, receives the answers,
// and replays the requests of a dead worker. It owns the private table of requests.
//
// Other files make the decisions (admission, batch_policy, worker_choice, blame, replay_policy, completion_check)
// and keep the state (pending_queue, fleet, batch_sizing, suspicion). The functions here move a request between
// them. The class has many functions because each event of a request, a worker or a timer needs several of these parts.
//
// The model's pool owns it and uses it on the front-end's only thread. Every admitted request is answered exactly
// once.
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
#include "common/recycled.hpp"

namespace yolod::app::schedule {

class Dispatcher {
 public:
  // Returns when a worker may be ready if none serves now, or nothing if no worker will be ready.
  using NextWorker = std::function<std::optional<common::Clock::time_point>()>;

  // All arguments outlive this object, except the config, which must live until use() replaces it.
  Dispatcher(boost::asio::io_context& io, const common::ModelConfig& config, observe::ModelMetrics& metrics,
             CompletionPoll& completion_poll, NextWorker next_worker);

  // Uses a new config for admission, the queue and batches. The quarantine is emptied, and a closed model serves
  // again.
  void use(const common::ModelConfig& config);

  // From now on the worker gets requests, until worker_ended().
  void worker_ready(WorkerPort& worker);
  // The worker has rung because its lane holds completions.
  void worker_completions(WorkerPort& worker);
  // Call it when the worker's process has been reaped, so nothing writes to its lane any more. Takes the completions
  // that it has finished and replays its other requests. Returns whether the worker may have died of a request.
  bool worker_ended(WorkerPort& worker, WorkerEnd end);

  // Gives waiting requests to workers that have become free without a completion. The front-end calls it
  // periodically.
  void look_again();

  // These functions find and take the completions of all workers, also if no worker has rung.
  [[nodiscard]] bool has_completions() const { return fleet_.has_completions(); }
  void take_completions();

  // Returns whether a request may be read and submitted now. Call it once for each request. Errors:
  //
  //   kNotReady           the model has never been ready, or no worker will be ready within queue.timeout
  //   kQueueFull          the queue is full, or the request would wait longer than queue.timeout
  //   kDeadlineExceeded   the request's deadline would pass before its answer
  //
  // After close() it returns close()'s reason.
  [[nodiscard]] common::Outcome<void> admit(const Urgency& urgency);

  // Returns a new value for Job::id. Requests of the same urgency are served in the order of their ids.
  [[nodiscard]] std::uint64_t new_id() { return next_id_++; }
  // The client of this request is gone. A request that no worker holds is answered with kClientGone. A worker that
  // holds it finishes it.
  void cancel(std::uint64_t id);

  // Queues `job`. `handler` is called once, in a later turn of the event loop. Errors are the worker's codes
  // (ipc/layout.hpp), kQueueFull after queue.timeout without a worker, kDeadlineExceeded, kWorkerCrashed,
  // kQuarantined, kClientGone, or the reason of close().
  void ask(Job job, AnswerHandler handler);

  // While such an object exists, ask() only queues jobs. Its end gives batches to workers, so that jobs of one request
  // share batches. It must end in the same turn of the event loop.
  class Together {
   public:
    explicit Together(Dispatcher& dispatcher) : dispatcher_(dispatcher) { ++dispatcher_.together_; }
    ~Together() {
      if (--dispatcher_.together_ == 0) dispatcher_.look_again();
    }
    Together(const Together&) = delete;
    Together& operator=(const Together&) = delete;

   private:
    Dispatcher& dispatcher_;
  };

  // Answers all waiting requests, and all later ones, with `why`. Workers finish the requests that they hold.
  void close(common::Error why);
  // Calls close() with kShuttingDown, and also answers the requests that workers hold.
  void shut_down();

  // Returns whether a worker serves requests now.
  [[nodiscard]] bool serves() const { return !closed_ && fleet_.any_serves(); }
  // Returns whether every request is refused.
  [[nodiscard]] bool closed() const { return closed_.has_value(); }
  // Returns the number of requests that have no answer yet.
  [[nodiscard]] std::size_t unanswered_count() const { return unanswered_count_; }
  [[nodiscard]] std::size_t queued_count() const { return queue_.size(); }
  // Returns after how many seconds a refused client may try again, which is the time that the queued requests will
  // take.
  [[nodiscard]] std::uint32_t retry_after_seconds() const;
  // Returns the present limits of batches. They come from the config, or from the tuner of batch.target_p99. The
  // reference is valid until the next call.
  [[nodiscard]] const BatchLimits& batch_limits() const;
  // Returns the model's description by the worker that became ready last, or null if none has been ready.
  [[nodiscard]] const std::shared_ptr<const common::ModelDescription>& description() const { return description_; }

 private:
  // An answer that waits for its turn of the event loop.
  struct Delivery : common::Recycled<Delivery> {
    Delivery(AnswerHandler given, Answer&& made) : handler(std::move(given)), answer(std::move(made)) {}
    AnswerHandler handler;
    Answer answer;
  };

  // The functions below take `now`, because each reading of the clock costs time and a request passes through many of
  // them.
  [[nodiscard]] common::Outcome<void> check_admission(const Urgency& urgency, common::Clock::time_point now) const;
  // Gives batches to workers as long as the policy allows it, and sets the timer for the next decision.
  void dispatch_waiting(common::Clock::time_point now);
  // Returns the worker that should get a batch now. Returns null if there is none, and sets in `decision` when to
  // decide again.
  [[nodiscard]] Assignment* choose_worker(BatchDecision& decision, common::Clock::time_point now);
  void dispatch(Assignment& assignment, common::Clock::time_point now);
  // Moves the requests of one batch from the queue to batch_, at most `most` of them.
  void take_batch(std::size_t most, bool to_idle_worker, common::Clock::time_point now);
  [[nodiscard]] Backlog backlog(std::size_t ahead, common::Clock::time_point now) const;
  [[nodiscard]] common::Clock::time_point expiry_of(const Urgency& urgency, common::Clock::time_point now) const;
  // Queues a request if its body is not in quarantine. If the body must be hashed first, the request is queued
  // later.
  void try_enqueue(std::unique_ptr<Request> request, common::Clock::time_point now);
  void hashed(std::unique_ptr<Request> request);
  // Looks up the request's body in the quarantine. If it must not reach a worker, answers it and returns false.
  [[nodiscard]] bool may_run(Request& request);
  // Replays a request whose worker died, or answers it with an error. `blame` is recorded for its body, which is
  // hashed unless `blame` is kNone.
  void settle_after_death(std::unique_ptr<Request> request, Blame blame);
  // Takes about `budget_bytes` of a worker's completions. Condemns the worker and returns false if its lane holds
  // invalid values.
  bool take_from(Assignment& assignment, std::size_t budget_bytes);
  // Reads about `budget_bytes` of results. Returns false if the lane holds an invalid value. The caller then reads
  // nothing more from it.
  [[nodiscard]] bool drain_completions(Assignment& assignment, std::size_t budget_bytes);
  [[nodiscard]] bool read_completions(Assignment& assignment, std::size_t budget_bytes);
  [[nodiscard]] bool begin_reading(Assignment& assignment, const ipc::CompletionCell& completion);
  // Gives the request of the completion its answer.
  void take_completion(Assignment& assignment, const ipc::CompletionCell& completion,
                       common::Outcome<common::Prediction>&& prediction);
  void requeue(std::unique_ptr<Request> request);
  void answer(Request& request, Answer&& answer);
  void fail(Request& request, common::Error why);
  void enqueue(std::unique_ptr<Request> request);
  // Sets the timer of sweep(), which answers requests whose deadline has passed and condemns workers that hang, to
  // `when` at the latest.
  void sweep_by(common::Clock::time_point when, common::Clock::time_point now);
  void sweep();
  // Returns when a waiting request is answered with an error.
  [[nodiscard]] common::Clock::time_point gives_up_at(const Request& waiting) const;
  // If that time has passed, answers the request and returns true. The caller then removes it from the queue.
  bool give_up_if_late(Request& waiting, common::Clock::time_point now);
  // Each returns when it must be called again, or max() if it need not be.
  [[nodiscard]] common::Clock::time_point sweep_queue(common::Clock::time_point now);
  [[nodiscard]] common::Clock::time_point sweep_fleet(common::Clock::time_point now);

  boost::asio::io_context& io_;
  const common::ModelConfig* config_;
  observe::ModelMetrics& metrics_;
  CompletionPoll& completion_poll_;
  const NextWorker next_worker_;
  NearestTimer sweep_timer_;   // for sweep()
  NearestTimer policy_timer_;  // for dispatch_waiting()
  std::optional<common::Error> closed_;
  std::uint64_t next_id_{1};
  std::size_t unanswered_count_{0};
  int together_{0};  // how many objects of that class exist
  Suspicion suspicion_;
  BodyHashing hashing_;
  PendingQueue queue_;
  BatchSizing sizing_;
  Fleet fleet_;
  std::vector<std::unique_ptr<Request>> batch_;  // taken from the queue and not yet given to a worker
  std::shared_ptr<const common::ModelDescription> description_;
};

}  // namespace yolod::app::schedule
