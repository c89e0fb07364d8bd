#include "worker/load.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/clock.hpp"
#include "common/config/model_config.hpp"
#include "common/domain/description.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"
#include "common/system/huge_pages.hpp"
#include "common/system/signal_mask.hpp"
#include "ipc/description_codec.hpp"
#include "ipc/lane.hpp"
#include "ipc/layout.hpp"
#include "model/load/load_model.hpp"
#include "model/load_context.hpp"
#include "worker/batch_size.hpp"
#include "worker/canary.hpp"
#include "worker/child_task.hpp"
#include "worker/malloc.hpp"

namespace yolod::worker {

namespace {

// Do not call exit(): the exit handlers may wait for the device without end.
void end_at_once(const std::string& why) {
  common::log_error("{}", why);
  _exit(ipc::kExitDeviceLost);
}

// The front-end would reject such a description of a ready worker. Refuse it during the load, once for all workers.
common::Outcome<void> check_description(const common::ModelDescription& description) {
  std::vector<std::byte> room(ipc::kDescriptionBytes);
  if (ipc::encode_description(description, room)) return {};
  return common::Error{common::ErrorCode::kBadModel, "the model's labels cannot be served: each label may have " +
                                                         std::to_string(common::kMaxLabelBytes) +
                                                         " bytes of UTF-8, and all labels together " +
                                                         std::to_string(ipc::kDescriptionBytes) + " bytes"};
}

// Returns how long the worker may time larger batches. A load in the background may take longer, because it shares
// the processors with serving workers and no request waits for it.
std::chrono::milliseconds timing_budget(const common::ModelConfig& config, bool background) {
  constexpr std::chrono::seconds kBudget{2};
  constexpr std::chrono::seconds kBudgetInBackground{10};
  return std::min<std::chrono::milliseconds>(background ? kBudgetInBackground : kBudget, config.load_timeout / 8);
}

BatchSizeChoice choose_in_this_process(const common::ModelConfig& config, model::Model& model,
                                       std::chrono::milliseconds budget) {
  set_malloc_for_serving();  // time the batches under the settings for serving
  return choose_batch_size(sizes_to_try(config.batch), budget,
                           {[&model](std::uint32_t size) { return model.time_batch(size); }, common::Clock::now});
}

// Returns the size, a space and the line for the log.
std::string choose_in_child(const common::ModelConfig& config, model::Model& model, std::uint32_t threads,
                            std::chrono::milliseconds budget) {
  if (!model.use_threads(threads)) return {};
  const auto choice = choose_in_this_process(config, model, budget);
  return std::to_string(choice.size) + ' ' + describe(choice);
}

// On a GPU larger batches always pay, and times measured before its graphs are recorded say little.
bool looks_for_batch_size(const common::ModelConfig& config, const model::Model& model) {
  return config.batch.max_size == 0 && model.computes_batches() && model.description().device == "cpu";
}

// REQUIRES: the model is warm for batches of one.
std::uint32_t find_batch_size(const common::ModelConfig& config, model::Model& model, std::uint32_t threads_of_forks,
                              std::chrono::milliseconds budget) {
  if (threads_of_forks == 0) {
    const auto choice = choose_in_this_process(config, model, budget);
    common::log_info("{}", describe(choice));
    return choice.size;
  }
  // A size that was begun within the budget may end after it, so the child gets twice the budget.
  const auto told = run_in_child([&] { return choose_in_child(config, model, threads_of_forks, budget); }, 2 * budget);
  std::uint32_t size = 0;
  if (told) {
    const auto [end, failure] = std::from_chars(told->data(), told->data() + told->size(), size);
    if (failure == std::errc() && *end == ' ') common::log_info("{}", end + 1);
  }
  if (size != 0) return std::min(size, config.batch.size_limit());
  common::log_warning("batches of up to 1: timing larger ones failed{}", told ? "" : ": " + told.error().message);
  return 1;
}

common::Outcome<LoadedModel> load_within(const common::ModelConfig& config, LoadThreads threads, std::uint32_t seat,
                                         model::FaultHooks hooks, std::chrono::milliseconds budget) {
  model::LoadContext context;
  context.threads = threads.now;
  context.threads_of_forks = threads.of_forks;
  context.device = config.devices.empty() ? "auto" : config.devices[seat % config.devices.size()];
  context.seat = seat;
  context.device_lost = end_at_once;
  context.fault_hooks = std::move(hooks);
  auto loaded = model::load_model(config, context);
  if (!loaded) return std::move(loaded).error();
  // the warm-up's times predict the latency, so measure as when serving
  if (config.batch.target_p99.count() != 0) set_malloc_for_serving();
  LoadedModel ready{std::move(*loaded), 0};
  model::Model& model = *ready.model;
  if (auto good = check_description(model.description()); !good) return good.error();
  common::reach(common::FaultPoint::kModelLoaded);
  if (looks_for_batch_size(config, model)) {
    constexpr std::array<std::size_t, 1> kOne{1};
    if (auto warm = model.warm_up(kOne); !warm) return warm.error();
    ready.batch_size = find_batch_size(config, model, threads.of_forks, budget);
  }
  if (ready.batch_size == 1 && config.batch.max_wait.count() != 0) {
    common::log_warning(
        "batch.max_wait has no effect for this model: larger batches do not pay, so every batch has one request");
  }
  if (ready.batch_size != 1) {  // the model is already warm for size 1
    if (auto warm = model.warm_up(sizes_to_serve(config.batch, ready.batch_size)); !warm) return warm.error();
  }
  if (auto good = check_canary(model, config.canary); !good) return good.error();
  malloc_trim(0);  // a loader no longer needs the memory of the warm-up, and a worker may never need as much again
  (void)common::gather_in_huge_pages();  // mostly weights remain, which the forked workers share
  return ready;
}

}  // namespace

bool interrupt_is_blocked() {
  sigset_t mask;
  return pthread_sigmask(SIG_SETMASK, nullptr, &mask) == 0 && sigismember(&mask, SIGINT) == 1;
}

common::Outcome<LoadedModel> load(const common::ModelConfig& config, LoadThreads threads, std::uint32_t seat,
                                  model::FaultHooks hooks) {
  return load_within(config, threads, seat, std::move(hooks), timing_budget(config, false));
}

// The priority belongs to a thread of its own, because without a privilege the process could not raise its priority
// again. At the lowest priority the load would get a sixtieth of a processor beside busy workers and might exceed
// load_timeout; at this priority it gets a tenth.
common::Outcome<LoadedModel> load_in_background(const common::ModelConfig& config, LoadThreads threads,
                                                std::uint32_t seat, model::FaultHooks hooks) {
  constexpr int kNice = 10;
  std::optional<common::Outcome<LoadedModel>> loaded;
  std::exception_ptr thrown;
  std::thread([&] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
    try {
      loaded.emplace(load_within(config, threads, seat, std::move(hooks), timing_budget(config, true)));
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
  // A SIGINT may still arrive between this check and the unblocking. The default action then ends the process, as it
  // would a moment later.
  std::signal(SIGINT, SIG_DFL);
  const sigset_t interrupt = common::signal_set({SIGINT});
  pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
  return AfterLoad::kServe;
}

}  // namespace yolod::worker
