#include "worker/load.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/fault_point.hpp"
#include "common/log.hpp"
#include "common/prediction.hpp"
#include "common/signal_mask.hpp"
#include "ipc/lane.hpp"
#include "ipc/layout.hpp"
#include "ipc/messages.hpp"
#include "worker/canary.hpp"

namespace yolod::worker {

namespace {

// Not exit(): what would be run at the end may wait for the device for ever.
void end_at_once(const std::string& why) {
  common::log_error("{}", why);
  _exit(ipc::kExitDeviceLost);
}

// What the front-end would not take from a worker that is ready is refused while it loads, once for all workers.
common::Outcome<void> check_description(const common::ModelDescription& description) {
  std::vector<std::byte> room(ipc::kDescriptionBytes);
  if (ipc::encode_description(description, room)) return {};
  return common::Error{common::ErrorCode::kBadModel,
                       "its labels cannot be served: each may have " + std::to_string(common::kMaxLabelBytes) +
                           " bytes of UTF-8, all together " + std::to_string(ipc::kDescriptionBytes) + " bytes"};
}

}  // namespace

bool interrupt_is_blocked() {
  sigset_t mask;
  return pthread_sigmask(SIG_SETMASK, nullptr, &mask) == 0 && sigismember(&mask, SIGINT) == 1;
}

common::Outcome<std::unique_ptr<model::Model>> load(const common::ModelConfig& config, LoadThreads threads,
                                                    std::uint32_t place, model::FaultHooks hooks) {
  model::Surroundings surroundings;
  surroundings.threads = threads.now;
  surroundings.threads_of_forks = threads.of_forks;
  surroundings.device = config.devices.empty() ? "auto" : config.devices[place % config.devices.size()];
  surroundings.place = place;
  surroundings.device_lost = end_at_once;
  surroundings.fault_hooks = std::move(hooks);
  auto model = model::load_model(config, surroundings);
  if (!model) return model;
  if (auto good = check_description((*model)->description()); !good) return good.error();
  common::reach(common::FaultPoint::kModelLoaded);
  if (auto warm = (*model)->warm_up(); !warm) return warm.error();
  if (auto good = check_canary(**model, config.canary); !good) return good.error();
  return model;
}

// Priority is the thread's: the process could not raise its own again without a privilege. Not the lowest, which beside
// busy workers would get a sixtieth of a processor and might not be done by load_timeout; this one gets a tenth.
common::Outcome<std::unique_ptr<model::Model>> load_in_background(const common::ModelConfig& config,
                                                                  LoadThreads threads, std::uint32_t place,
                                                                  model::FaultHooks hooks) {
  constexpr int kNice = 10;
  std::optional<common::Outcome<std::unique_ptr<model::Model>>> loaded;
  std::exception_ptr thrown;
  std::thread([&] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
    try {
      loaded.emplace(load(config, threads, place, std::move(hooks)));
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*loaded);
}

AfterLoad restore_interrupt() {
  sigset_t pending;
  if (sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 1) return AfterLoad::kInterrupted;
  // Between the look and the unblocking a SIGINT may still arrive: the default action then ends the process at the
  // unblock, as it would a moment later.
  std::signal(SIGINT, SIG_DFL);
  const sigset_t interrupt = common::signal_set({SIGINT});
  pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
  return AfterLoad::kServe;
}

}  // namespace yolod::worker
