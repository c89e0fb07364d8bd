// WorkerEventSink receives the events of workers. The supervisor calls it, and serving::ModelPool implements it. The
// thread of the front-end makes all calls.
#pragma once

#include "app/process/death.hpp"

namespace yolod::app::process {

class Supervisor;
class WorkerProcess;

// The calls never come after worker_died() for the same worker.
class WorkerEventSink {
 public:
  virtual void worker_ready(WorkerProcess& worker, Supervisor& supervisor) = 0;
  virtual void worker_completions(WorkerProcess& worker) = 0;
  // The worker was reaped, and no process writes to its lane any more. This is the last call for this worker: the
  // supervisor destroys the worker and its lane afterwards. Returns whether the worker died while it worked on a
  // request.
  virtual bool worker_died(WorkerProcess& worker, DeathCause cause) = 0;

 protected:
  ~WorkerEventSink() = default;
};

}  // namespace yolod::app::process
