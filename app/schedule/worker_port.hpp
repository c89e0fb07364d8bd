// The scheduler uses a worker through this interface. The scheduler knows nothing about processes:
// serving/worker_link implements the port for a process, and tests implement it without one.
//
//   ready --> requests, completions, ... --> ended
//
// The port is used on the front-end's only thread. It outlives the call of Dispatcher::worker_ended() for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/config/model_config.hpp"
#include "common/domain/description.hpp"
#include "ipc/lane.hpp"

namespace yolod::app::schedule {

// Says whether a worker's requests may be blamed for its end.
enum class WorkerEnd {
  kWorkerFault,  // it crashed, or the front-end killed it for its behaviour
  kExternal,     // another process killed it, or the front-end stopped it
};

class WorkerPort {
 public:
  // Return the settings that the worker was started with, and its description of its model.
  [[nodiscard]] virtual const common::ModelConfig& config() const = 0;
  [[nodiscard]] virtual const common::ModelDescription& description() const = 0;
  [[nodiscard]] virtual std::chrono::milliseconds load_time() const = 0;

  // Returns the lane of the worker's requests and completions. The front-end does not trust its content.
  [[nodiscard]] virtual ipc::LaneOwner& lane() = 0;
  // Rings the request doorbell if the worker does not check its lane without it.
  virtual void wake() = 0;

  // Returns whether the worker accepts requests.
  [[nodiscard]] virtual bool serves() const = 0;
  // Reports how many requests the worker holds now.
  virtual void set_outstanding(std::uint32_t count) = 0;
  // Reports one more answer of the worker. `predicted` is true if it is a prediction.
  virtual void answered(bool predicted) = 0;
  [[nodiscard]] virtual std::uint64_t requests_served() const = 0;

  // Returns how many requests beyond `outstanding` the worker may get before it is recycled, or nothing if there is
  // no limit.
  [[nodiscard]] virtual std::optional<std::uint64_t> left_before_recycling(std::uint32_t outstanding) const = 0;
  // Replaces the worker because it has reached this limit.
  virtual void recycle() = 0;
  // Returns whether another worker of the model is leaving slowly. Meanwhile this worker accepts requests although
  // it is due for recycling.
  [[nodiscard]] virtual bool another_leaves_slowly() const = 0;

  // Kill the worker because it wrote an invalid value or made no progress. Its end counts as its own fault. `why` is
  // written to the log.
  virtual void condemn(std::string_view why) = 0;
  virtual void condemn_hung(std::string_view why) = 0;

 protected:
  ~WorkerPort() = default;
};

}  // namespace yolod::app::schedule
