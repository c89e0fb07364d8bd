#include "worker/serve.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "common/fault_point.hpp"
#include "common/log.hpp"
#include "ipc/control.hpp"
#include "ipc/doorbell.hpp"
#include "ipc/messages.hpp"

namespace yolod::worker {
namespace {

using common::Error;
using common::ErrorCode;

// Takes the cells of one batch. kCorrupt also for a batch that ends early: the front-end publishes batches whole.
ipc::PopResult take_batch(ipc::LaneUser& lane, std::vector<ipc::RequestCell>& batch) {
  batch.clear();
  ipc::RequestCell cell{};
  do {
    const auto popped = lane.pop_request(cell);
    if (popped != ipc::PopResult::kPopped) return batch.empty() ? popped : ipc::PopResult::kCorrupt;
    batch.push_back(cell);
  } while (cell.batch_remaining != 0 && batch.size() < lane.geometry().slot_count);
  return ipc::PopResult::kPopped;
}

void complete(ipc::LaneUser& lane, const ipc::RequestCell& request, const model::Output& output) {
  ipc::CompletionCell completion{};
  completion.id = request.id;
  completion.slot = request.slot;
  completion.decode_us = output.times.decode_us;
  completion.infer_us = output.times.infer_us;
  completion.post_us = output.times.post_us;
  const auto slot = lane.result_slot(request.slot);

  std::optional<Error> failure;
  if (!output.prediction.ok()) {
    failure = output.prediction.error();
  } else if (const auto bytes = ipc::encode_prediction(*output.prediction, slot)) {
    completion.result_bytes = *bytes;
  } else {
    failure = Error{ErrorCode::kInternal, "the answer is larger than its place in the lane"};
    common::log_warning("an answer is larger than its {} bytes: limits.max_result_bytes is too small", slot.size());
  }
  if (failure) {
    completion.error_code = static_cast<std::uint32_t>(failure->code);
    completion.result_bytes = std::min(failure->message.size(), slot.size());
    if (completion.result_bytes != 0) std::memcpy(slot.data(), failure->message.data(), completion.result_bytes);
  }
  common::reach(common::FaultPoint::kWorkerEncoded);
  // The ring has a place for every slot: it can be full only for a front-end that is not ours.
  if (lane.push_completion(completion) != ipc::PushResult::kPushed) {
    common::log_error("completion ring refused request {}", request.id);
  }
  common::reach(common::FaultPoint::kWorkerPushed);
}

std::vector<model::Output> run_guarded(model::Model& model, const std::vector<model::Input>& inputs) {
  try {
    auto outputs = model.run(inputs);
    if (outputs.size() == inputs.size()) return outputs;
    common::log_error("the model answered {} of {} inputs", outputs.size(), inputs.size());
  } catch (const std::exception& failure) {
    common::log_error("the model threw: {}", failure.what());
  }
  std::vector<model::Output> failed(inputs.size());
  for (auto& output : failed) output.prediction = Error{ErrorCode::kInternal, "the model failed on this request"};
  return failed;
}

}  // namespace

ServeEnd serve(model::Model& model, ipc::LaneUser& lane, const ipc::InputArenaView& arena, const Channels& channels) {
  std::vector<ipc::RequestCell> batch;
  std::vector<model::Input> inputs;
  bool stopping = false;
  for (;;) {
    switch (take_batch(lane, batch)) {
      case ipc::PopResult::kCorrupt: return ServeEnd::kBrokenRequest;
      case ipc::PopResult::kEmpty: {
        if (stopping) {
          common::reach(common::FaultPoint::kWorkerStopped);
          return ServeEnd::kStopped;
        }
        auto command = ipc::wait_for_command(channels.control);
        if (!command) return ServeEnd::kStopped;
        // One look at the lane serves all the wake-ups that have come.
        for (; command; command = ipc::poll_command(channels.control)) stopping |= *command == ipc::Command::kStop;
        continue;
      }
      case ipc::PopResult::kPopped: break;
    }
    common::reach(common::FaultPoint::kWorkerTookBatch);
    inputs.clear();
    for (const ipc::RequestCell& request : batch) {
      const auto body = arena.body(request.body_offset, request.body_bytes);
      if (!body || request.slot >= lane.geometry().slot_count) return ServeEnd::kBrokenRequest;
      lane.mark_running(request.slot, request.id);
      common::reach(common::FaultPoint::kWorkerMarkedRunning);
      inputs.push_back({*body, ipc::decode_options(request)});
    }
    const auto outputs = run_guarded(model, inputs);
    common::reach(common::FaultPoint::kWorkerRan);
    for (std::size_t i = 0; i < batch.size(); ++i) complete(lane, batch[i], outputs[i]);
    lane.publish_completions();
    common::reach(common::FaultPoint::kWorkerPublished);
    ipc::ring_doorbell(channels.doorbell);
    common::reach(common::FaultPoint::kWorkerRang);
  }
}

}  // namespace yolod::worker
