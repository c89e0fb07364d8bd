// WorkerLink is the scheduler's interface to one worker process.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "app/process/supervisor.hpp"
#include "app/schedule/worker_port.hpp"

namespace yolod::app::serving {

// The pool owns it from the time the worker is ready until its death. The worker and the supervisor outlive it. Only
// the thread of the front-end may call it.
class WorkerLink final : public schedule::WorkerPort {
 public:
  WorkerLink(process::WorkerProcess& worker, process::Supervisor& supervisor)
      : worker_(worker), supervisor_(supervisor) {}

  [[nodiscard]] const common::ModelConfig& config() const override { return supervisor_.config(); }
  [[nodiscard]] const common::ModelDescription& description() const override { return worker_.description(); }
  [[nodiscard]] std::chrono::milliseconds load_time() const override { return supervisor_.load_time(worker_); }

  [[nodiscard]] ipc::LaneOwner& lane() override { return worker_.lane(); }
  void wake() override { worker_.wake(); }

  [[nodiscard]] bool serves() const override { return worker_.serves(); }
  void set_outstanding(std::uint32_t count) override { worker_.set_outstanding(count); }
  void answered(bool predicted) override { worker_.count_answer(predicted); }
  [[nodiscard]] std::uint64_t requests_served() const override { return worker_.requests_served(); }

  [[nodiscard]] std::optional<std::uint64_t> left_before_recycling(std::uint32_t outstanding) const override {
    return supervisor_.may_have_yet(worker_.requests_served() + outstanding);
  }
  void recycle() override { supervisor_.recycle(); }
  [[nodiscard]] bool another_leaves_slowly() const override { return supervisor_.any_leaves_slowly(); }

  void condemn(std::string_view why) override { supervisor_.condemn(worker_, why); }
  void condemn_hung(std::string_view why) override { supervisor_.condemn_hung(worker_, why); }

 private:
  process::WorkerProcess& worker_;
  process::Supervisor& supervisor_;
};

}  // namespace yolod::app::serving
