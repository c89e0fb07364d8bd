// A worker that serves, as the scheduler has it. The scheduler knows nothing of processes: serving/worker_link is such
// a port over one, and a test has one over nothing.
//
//   ready --> work, completions, ... --> ended
//
// The front-end's one thread uses it. A port outlives the call of Dispatcher::worker_ended() for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/config/model_config.hpp"
#include "common/domain/description.hpp"
#include "ipc/lane.hpp"

namespace yolod::app::schedule {

// How a worker ended, as far as blame goes.
enum class WorkerEnd {
  kOwnDoing,     // it crashed, or was killed for what it did
  kNotItsDoing,  // somebody killed or stopped it
};

class WorkerPort {
 public:
  // The settings by which it was started, and how it described its model.
  [[nodiscard]] virtual const common::ModelConfig& config() const = 0;
  [[nodiscard]] virtual const common::ModelDescription& description() const = 0;
  [[nodiscard]] virtual std::chrono::milliseconds load_time() const = 0;

  // Its requests and completions. Nothing in it is to be trusted.
  [[nodiscard]] virtual ipc::LaneOwner& lane() = 0;
  // Tells it to look at its lane, if it would not by itself.
  virtual void wake() = 0;

  // It takes work.
  [[nodiscard]] virtual bool serves() const = 0;
  // How many requests it has now.
  virtual void set_outstanding(std::uint32_t count) = 0;
  // It has answered one request more. `predicted`: with a prediction.
  virtual void answered(bool predicted) = 0;
  [[nodiscard]] virtual std::uint64_t requests_served() const = 0;

  // How many requests it may have before it is recycled, beyond `outstanding`; nothing: as many as come.
  [[nodiscard]] virtual std::optional<std::uint64_t> left_before_recycling(std::uint32_t outstanding) const = 0;
  // It has had as many as it may: replaces it.
  virtual void recycle() = 0;
  // Another worker of its model leaves, and takes its time: it takes work meanwhile although it is to be recycled.
  [[nodiscard]] virtual bool another_leaves_slowly() const = 0;

  // It wrote what cannot be, or made no progress: it is ended, which is then its own doing. `why` goes into the log.
  virtual void condemn(std::string_view why) = 0;
  virtual void condemn_hung(std::string_view why) = 0;

 protected:
  ~WorkerPort() = default;
};

}  // namespace yolod::app::schedule
