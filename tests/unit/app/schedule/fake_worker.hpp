// A fake of the scheduler's worker without a process. It holds both sides of a real lane: the front-end's and the
// worker's.
#pragma once

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/schedule/worker_port.hpp"
#include "ipc/prediction_codec.hpp"
#include "tests/support/duplicate.hpp"

namespace yolod::app::schedule {

class FakeWorker final : public WorkerPort {
 public:
  // The config outlives the fake.
  explicit FakeWorker(const common::ModelConfig& config)
      : config_(config),
        lane_(
            ipc::LaneOwner::create(ipc::make_lane_geometry(config.batch.size_limit(), ipc::result_bytes_for(config)), 1)
                .value()),
        user_(ipc::LaneUser::open(tests::duplicate(lane_.descriptor())).value()) {}

  // ---- for the test to set and to read ----
  bool serving{true};
  std::optional<std::uint64_t> may_have;  // this many requests come before it is recycled
  int wakes{0};
  int recycled{0};
  std::vector<std::string> condemned;
  std::uint32_t outstanding{0};
  common::ModelDescription describes;

  // ---- the worker's side ----
  // Returns the requests that it has been given since the last call.
  std::vector<ipc::RequestCell> take() {
    std::vector<ipc::RequestCell> taken;
    for (ipc::RequestCell cell{}; user_.pop_request(cell) == ipc::PopResult::kPopped;) taken.push_back(cell);
    return taken;
  }
  void mark(const ipc::RequestCell& cell, ipc::WorkPhase phase) { user_.mark_running(cell.slot, cell.id, phase); }
  void complete(const ipc::RequestCell& cell) { complete(cell, common::IdentityAnswer{cell.content_bytes, 0, 1}); }
  void complete(const ipc::RequestCell& cell, const common::Prediction& prediction) {
    const auto bytes = ipc::encode_prediction(prediction, user_.result_slot(cell.slot));
    REQUIRE(bytes);
    push({cell.id, *bytes, cell.slot, 0, 1, 2, 3, 0});
  }
  // Overwrites the last bytes of that result.
  void spoil_end(const ipc::RequestCell& cell, const common::Prediction& prediction) {
    const auto slot = user_.result_slot(cell.slot);
    const auto bytes = ipc::encode_prediction(prediction, slot);
    REQUIRE(bytes);
    for (std::size_t i = 1; i <= 8; ++i) slot[*bytes - i] = std::byte{0xFF};
  }
  void refuse(const ipc::RequestCell& cell, common::ErrorCode code) {
    push({cell.id, 0, cell.slot, static_cast<std::uint32_t>(code), 1, 0, 0, 0});
  }
  void push(const ipc::CompletionCell& completion) {
    REQUIRE(user_.push_completion(completion) == ipc::PushResult::kPushed);
    user_.publish_completions();
  }

  // ---- WorkerPort ----
  [[nodiscard]] const common::ModelConfig& config() const override { return config_; }
  [[nodiscard]] const common::ModelDescription& description() const override { return describes; }
  [[nodiscard]] std::chrono::milliseconds load_time() const override { return std::chrono::milliseconds(7); }
  [[nodiscard]] ipc::LaneOwner& lane() override { return lane_; }
  void wake() override { ++wakes; }
  [[nodiscard]] bool serves() const override { return serving; }
  void set_outstanding(std::uint32_t count) override { outstanding = count; }
  void answered(bool) override { ++served_; }
  [[nodiscard]] std::uint64_t requests_served() const override { return served_; }
  [[nodiscard]] std::optional<std::uint64_t> left_before_recycling(std::uint32_t given) const override {
    if (!may_have) return std::nullopt;
    const auto had = served_ + given;
    return *may_have > had ? *may_have - had : 0;
  }
  void recycle() override { ++recycled; }
  [[nodiscard]] bool another_leaves_slowly() const override { return false; }
  void condemn(std::string_view why) override { end(why); }
  void condemn_hung(std::string_view why) override { end(why); }

 private:
  void end(std::string_view why) {
    serving = false;
    condemned.emplace_back(why);
  }

  const common::ModelConfig& config_;
  ipc::LaneOwner lane_;
  ipc::LaneUser user_;
  std::uint64_t served_{0};
};

}  // namespace yolod::app::schedule
