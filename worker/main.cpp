// yolod-worker runs one model on one device. Only yolod starts it, with its descriptors (ipc/layout.hpp) and with
// SIGINT blocked. It runs as a worker:
//
//   hello -> load (SIGINT blocked) -> sealed -> [interrupted: free, exit] -> SIGINT restored -> ready -> serve -> stop
//
// or as a loader, which serves all workers of a model:
//
//   hello -> load -> sealed -> ready -> forks; each fork continues as a worker: hello -> sealed further -> SIGINT
//   restored -> ready -> serve -> stop
//
// worker/sandbox/sandbox.hpp explains "sealed".
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>

#include "common/clock.hpp"
#include "common/config/schema.hpp"
#include "common/config/worker_threads.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"
#include "common/sanitizers.hpp"
#include "common/system/cpu_count.hpp"
#include "common/system/foreign_signals.hpp"
#include "ipc/control.hpp"
#include "ipc/description_codec.hpp"
#include "ipc/doorbell.hpp"
#include "ipc/fork_command.hpp"
#include "ipc/input_arena.hpp"
#include "ipc/lane.hpp"
#include "model/load_context.hpp"
#include "worker/batch_loop.hpp"
#include "worker/load.hpp"
#include "worker/loader.hpp"
#include "worker/malloc.hpp"
#include "worker/sandbox/filter.hpp"
#include "worker/sandbox/sandbox.hpp"

namespace yolod::worker {
namespace {

using common::Outcome;
using common::UniqueFd;
using ipc::Milestone;

enum class Role { kWorker, kLoader };

bool started_by_front_end(Role role) {
  for (int descriptor = ipc::kControlDescriptor; descriptor < ipc::kFirstUnusedDescriptor; ++descriptor) {
    const bool of_workers = descriptor == ipc::kLaneDescriptor || descriptor == ipc::kDoorbellDescriptor;
    if (role == Role::kLoader && of_workers) continue;
    if (fcntl(descriptor, F_GETFD) < 0) return false;
  }
  return interrupt_is_blocked();
}

// Disables core dumps, because they delay the reaping and contain the clients' pictures. Forbids ptrace by other
// processes. Makes this process the kernel's first choice when memory runs out, because the loss of a worker costs no
// client an answer. Sanitizer builds keep ptrace for the leak check.
void lower_profile() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  if (UniqueFd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); score.valid()) {
    [[maybe_unused]] const auto written = write(score.get(), "500", 3);
  }
  // This follows prctl(), because /proc/self belongs to root afterwards.
  if constexpr (!common::kSanitized) prctl(PR_SET_DUMPABLE, 0);
}

Outcome<std::string> read_all(UniqueFd file) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return common::last_system_error("cannot read the model's settings");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  if (pread(file.get(), text.data(), text.size(), 0) != status.st_size) {
    return common::last_system_error("cannot read the model's settings");
  }
  return text;
}

// The fault FAULT:scribble of the tests overwrites the lane like a compromised worker.
void scribble(const ipc::LaneUser& lane) {
  std::mt19937_64 random(std::random_device{}());
  for (std::byte& byte : lane.all_bytes()) byte = static_cast<std::byte>(random());
}

// The fault FAULT:ring uses it: the worker's doorbell, or -1 before there is a worker.
int doorbell_of_faults = -1;

model::FaultHooks fault_hooks(std::function<void()> scribble_lane, const ipc::InputArenaView& arena) {
  return {std::move(scribble_lane), [] { ipc::ring_doorbell(doorbell_of_faults); }, arena.all_bytes()};
}

// The settings that a worker and a loader have in common: the model's configuration and the arena.
struct WorkerSettings {
  common::ModelConfig config;
  ipc::InputArenaView arena;
  std::uint32_t cores;  // queried now, because a sealed process cannot query it
};

Outcome<WorkerSettings> read_start() {
  auto arena = ipc::InputArenaView::open(UniqueFd(ipc::kArenaDescriptor));
  if (!arena) return arena.error();
  const auto text = read_all(UniqueFd(ipc::kConfigDescriptor));
  if (!text) return text.error();
  auto config = common::parse_model(*text);
  if (!config) return config.error();
  return WorkerSettings{std::move(*config), std::move(*arena), common::usable_cpu_count()};
}

int bad_start(const common::Error& error) {
  common::log_error("{}", error.message);
  return ipc::kExitBadStart;
}

void say_load_failed(int control, std::uint64_t launch_id, const std::string& why) {
  ipc::send_milestone(control, ipc::make_milestone(Milestone::kLoadFailed, launch_id, why));
}

std::uint32_t threads_of(const WorkerSettings& start) { return common::threads_per_worker(start.config, start.cores); }

// Serves a loaded model to the end, in a process that is already sealed.
int serve_model(LoadedModel loaded, ipc::LaneUser& lane, const WorkerSettings& start, const Sandbox& sandbox,
                const Channels& channels, common::Clock::time_point began) {
  const std::uint64_t launch_id = lane.launch_id();
  auto& model = loaded.model;
  doorbell_of_faults = channels.doorbell;
  if (restore_interrupt() == AfterLoad::kInterrupted) {
    model.reset();
    return ipc::kExitInterrupted;
  }
  auto description = model->description();
  const bool ahead = model->decodes_ahead() && common::may_decode_ahead(start.config, description.device, start.cores);
  description.decodes_ahead = ahead;
  description.batch_size = loaded.batch_size;
  const auto described = ipc::encode_description(description, lane.description());
  if (!described) {
    say_load_failed(channels.control, launch_id, "its labels are too long or too many to be served");
    return ipc::kExitBadModel;
  }
  auto ready = ipc::make_milestone(Milestone::kReady, launch_id);
  ready.description_bytes = static_cast<std::uint32_t>(*described);
  ready.load_ms = common::elapsed_us(began, common::Clock::now()) / 1000;
  ipc::put_sandbox(ready, sandbox.state());
  common::reach(common::FaultPoint::kWorkerDescribed);
  if (!ipc::send_milestone(channels.control, ready)) return ipc::kExitStopped;
  common::reach(common::FaultPoint::kWorkerSaidReady);

  const auto how = description.device == "cpu" ? Decoding::kAhead : Decoding::kAheadApart;
  switch (serve(*model, lane, start.arena, channels, ahead ? how : Decoding::kInTurn, start.cores)) {
    case LoopEnd::kStopped: return ipc::kExitStopped;
    case LoopEnd::kBrokenRequest: break;
  }
  common::log_error(
      "the lane holds an invalid request: the front-end has another version or is corrupt; the worker exits");
  return ipc::kExitBadStart;
}

int run_worker() {
  auto lane = ipc::LaneUser::open(UniqueFd(ipc::kLaneDescriptor));
  if (!lane) return bad_start(lane.error());
  const auto start = read_start();
  if (!start) return bad_start(start.error());
  const Channels channels{ipc::kControlDescriptor, ipc::kDoorbellDescriptor};
  ipc::send_milestone(channels.control, ipc::make_milestone(Milestone::kHello, lane->launch_id()));
  common::reach(common::FaultPoint::kWorkerSaidHello);

  const auto began = common::Clock::now();
  const auto refuse = [&](const common::Error& error) {
    say_load_failed(channels.control, lane->launch_id(), error.message);
    return ipc::kExitBadModel;
  };
  Sandbox sandbox(start->config);
  if (auto sealed = sandbox.before_load(); !sealed) return refuse(sealed.error());
  auto loaded =
      load(start->config, {threads_of(*start)}, lane->seat(), fault_hooks([&lane] { scribble(*lane); }, start->arena));
  if (!loaded) return refuse(loaded.error());
  common::reach(common::FaultPoint::kWorkerLoaded);
  set_malloc_for_serving();
  if (auto sealed = sandbox.seal_worker(channels.control, lane->launch_id()); !sealed) return refuse(sealed.error());
  if (auto tested = loaded->model->self_test(model::SealedProcess::kWorker); !tested) return refuse(tested.error());
  return serve_model(std::move(*loaded), *lane, *start, sandbox, channels, began);
}

int run_forked(LoadedModel loaded, const WorkerSettings& start, Sandbox sandbox, ipc::LoaderCommand fork,
               std::optional<ipc::LaneUser>& lane) {
  const auto began = common::Clock::now();
  auto& descriptors = fork.descriptors;
  auto opened = ipc::LaneUser::open(std::move(descriptors.lane));
  if (!opened) return bad_start(opened.error());
  lane.emplace(std::move(*opened));
  const Channels channels{descriptors.control.get(), descriptors.doorbell.get()};
  ipc::send_milestone(channels.control, ipc::make_milestone(Milestone::kHello, lane->launch_id()));
  common::reach(common::FaultPoint::kWorkerSaidHello);
  const auto refuse = [&](const common::Error& error) {
    say_load_failed(channels.control, lane->launch_id(), error.message);
    return ipc::kExitBadModel;
  };
  // Seal the process while it has one thread: threads that it starts later inherit the filter.
  if (auto sealed = sandbox.seal_worker(channels.control, lane->launch_id()); !sealed) return refuse(sealed.error());
  if (const auto prepared = loaded.model->use_threads(threads_of(start)); !prepared) return refuse(prepared.error());
  set_malloc_for_serving();
  if (fork.command != ipc::Command::kForkProven) {
    if (auto tested = loaded.model->self_test(model::SealedProcess::kWorker); !tested) return refuse(tested.error());
  }
  return serve_model(std::move(loaded), *lane, start, sandbox, channels, began);
}

// `arguments` are the strings that ps shows for this process.
int run_loader(std::span<char*> arguments) {
  const auto start = read_start();
  if (!start) return bad_start(start.error());
  constexpr int kControl = ipc::kControlDescriptor;
  ipc::send_milestone(kControl, ipc::make_milestone(Milestone::kHello, ipc::kLoaderLaunchId));

  std::optional<ipc::LaneUser> lane;  // set once this process is a worker
  const auto began = common::Clock::now();
  const auto refuse = [](const common::Error& error) {
    say_load_failed(kControl, ipc::kLoaderLaunchId, error.message);
    return ipc::kExitBadModel;
  };
  const bool background = arguments.size() > 2 && arguments[2] == ipc::kBackgroundArgument;
  Sandbox sandbox(start->config);
  if (auto sealed = sandbox.before_load(); !sealed) return refuse(sealed.error());
  auto loaded = (background ? load_in_background : load)(start->config, {1, threads_of(*start)}, 0,
                                                         fault_hooks([&lane] { scribble(*lane); }, start->arena));
  if (!loaded) return refuse(loaded.error());
  common::ThreadCounter threads;
  if (auto sealed = sandbox.seal_loader(kControl); !sealed) return refuse(sealed.error());
  if (auto tested = loaded->model->self_test(model::SealedProcess::kLoader); !tested) return refuse(tested.error());
  if (restore_interrupt() == AfterLoad::kInterrupted) {
    loaded->model.reset();
    return ipc::kExitInterrupted;
  }
  auto ready = ipc::make_milestone(Milestone::kReady, ipc::kLoaderLaunchId);
  ready.load_ms = common::elapsed_us(began, common::Clock::now()) / 1000;
  ipc::put_sandbox(ready, sandbox.state());
  if (!ipc::send_milestone(kControl, ready)) return ipc::kExitStopped;
  common::reach(common::FaultPoint::kLoaderSaidReady);

  ipc::LoaderCommand fork;
  switch (fork_workers(kControl, std::move(threads), fork)) {
    case LoaderEnd::kStopped: return ipc::kExitStopped;
    case LoaderEnd::kIsWorker: break;
  }
  std::memcpy(arguments[1], "worker", ipc::kLoaderArgument.size());
  if (background) std::memset(arguments[2], 0, ipc::kBackgroundArgument.size());
  return run_forked(std::move(*loaded), *start, sandbox, std::move(fork), lane);
}

}  // namespace
}  // namespace yolod::worker

int main(int argc, char** argv) {
  using namespace yolod;
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  const bool loads = arguments.size() > 1 && arguments[1] == ipc::kLoaderArgument;
  if (!worker::started_by_front_end(loads ? worker::Role::kLoader : worker::Role::kWorker)) {
    std::fputs("yolod-worker: only yolod starts this program; do not run it by hand\n", stderr);
    return ipc::kExitBadStart;
  }
  worker::set_malloc_for_loading();
  worker::lower_profile();
  std::signal(SIGPIPE, SIG_IGN);  // a log pipe without a reader must not kill the process
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its size limit must not kill the process
  // A user who signals every process of this name (killall) means the front-end.
  for (const int signal : {SIGHUP, SIGUSR1, SIGTTIN, SIGTTOU}) std::signal(signal, SIG_IGN);
  common::for_each_foreign_signal([](int signal) { std::signal(signal, SIG_IGN); });
  common::LoggingConfig logging;
  logging.format = common::LogFormat::kForwarded;
  if (auto log = common::configure_log(logging, "yolod-worker"); !log) return ipc::kExitBadStart;
  try {
    return loads ? worker::run_loader(arguments) : worker::run_worker();
  } catch (const std::exception& failure) {
    common::log_error("unexpected: {}", failure.what());
    std::terminate();  // a bug: SIGABRT tells the front-end, which logs it and replaces this process
  }
}
