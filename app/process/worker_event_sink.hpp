// What the process side tells the scheduler of its workers. One thread.
#pragma once

#include "app/process/death.hpp"

namespace yolod::app::process {

class Supervisor;
class WorkerProcess;

// Whoever gives the workers work.
class WorkerEventSink {
 public:
  virtual void worker_ready(WorkerProcess& worker, Supervisor& supervisor) = 0;
  virtual void worker_completions(WorkerProcess& worker) = 0;
  // Reaped: nothing writes to its lane any more. The last call about this worker; it and its lane go afterwards.
  // Whether it died at work on a request.
  virtual bool worker_died(WorkerProcess& worker, DeathCause cause) = 0;

 protected:
  ~WorkerEventSink() = default;
};

}  // namespace yolod::app::process
