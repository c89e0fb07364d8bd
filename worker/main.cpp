// yolod-worker: one model on one device. Started by yolod alone, which leaves it five descriptors (ipc/layout.hpp)
// and SIGINT blocked.
//
//   hello -> load (SIGINT blocked) -> [interrupted: free, exit] -> SIGINT restored -> ready -> serve -> stop
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <random>
#include <string>

#include "common/clock.hpp"
#include "common/config_schema.hpp"
#include "common/log.hpp"
#include "ipc/control.hpp"
#include "ipc/input_arena.hpp"
#include "ipc/lane.hpp"
#include "ipc/messages.hpp"
#include "worker/load.hpp"
#include "worker/serve.hpp"

namespace yolod::worker {
namespace {

using common::Outcome;
using common::UniqueFd;

bool started_by_front_end() {
  for (int descriptor = ipc::kControlDescriptor; descriptor < ipc::kFirstUnusedDescriptor; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) < 0) return false;
  }
  return interrupt_is_blocked();
}

// No core dump (it would delay the reaping), no ptrace by a neighbour; and the kernel's first choice when memory runs
// out, since losing a worker costs no client an answer. Under a sanitizer the leak check needs ptrace.
void lower_profile() {
  if (UniqueFd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); score.valid()) {
    [[maybe_unused]] const auto written = write(score.get(), "500", 3);
  }
  // After the line above: /proc/self then belongs to root.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  prctl(PR_SET_DUMPABLE, 0);
#endif
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

// FAULT:scribble, for the fault tests: what a worker that went mad could do to its lane.
void scribble(const ipc::LaneUser& lane) {
  std::mt19937_64 random(std::random_device{}());
  for (std::byte& byte : lane.all_bytes()) byte = static_cast<std::byte>(random());
}

int run() {
  auto lane = ipc::LaneUser::open(UniqueFd(ipc::kLaneDescriptor));
  if (!lane) return common::log_error("{}", lane.error().message), ipc::kExitBadStart;
  auto arena = ipc::InputArenaView::open(UniqueFd(ipc::kArenaDescriptor));
  if (!arena) return common::log_error("{}", arena.error().message), ipc::kExitBadStart;
  auto text = read_all(UniqueFd(ipc::kConfigDescriptor));
  if (!text) return common::log_error("{}", text.error().message), ipc::kExitBadStart;
  auto config = common::parse_model(*text);
  if (!config) return common::log_error("{}", config.error().message), ipc::kExitBadStart;
  const Channels channels{ipc::kControlDescriptor, ipc::kDoorbellDescriptor};

  using ipc::Milestone;
  const std::uint64_t generation = lane->generation();
  ipc::send_milestone(channels.control, ipc::make_milestone(Milestone::kHello, generation));

  const auto load_began = common::Clock::now();
  auto model = load(*config, [&lane] { scribble(*lane); });
  if (!model) {
    ipc::send_milestone(channels.control,
                        ipc::make_milestone(Milestone::kLoadFailed, generation, model.error().message));
    return ipc::kExitBadModel;
  }
  if (restore_interrupt() == AfterLoad::kInterrupted) {
    model->reset();
    return ipc::kExitInterrupted;
  }

  const auto described = ipc::encode_description((*model)->description(), lane->description());
  if (!described) {
    ipc::send_milestone(channels.control, ipc::make_milestone(Milestone::kLoadFailed, generation,
                                                              "its labels are too long or too many to be served"));
    return ipc::kExitBadModel;
  }
  auto ready = ipc::make_milestone(Milestone::kReady, generation);
  ready.description_bytes = static_cast<std::uint32_t>(*described);
  ready.load_ms = common::elapsed_us(load_began, common::Clock::now()) / 1000;
  if (!ipc::send_milestone(channels.control, ready)) return ipc::kExitStopped;

  switch (serve(**model, *lane, *arena, channels)) {
    case ServeEnd::kStopped: return ipc::kExitStopped;
    case ServeEnd::kBrokenRequest: break;
  }
  common::log_error("the lane holds a request that cannot be: not a front-end of this version");
  return ipc::kExitBadStart;
}

}  // namespace
}  // namespace yolod::worker

int main() {
  using namespace yolod;
  if (!worker::started_by_front_end()) {
    std::fputs("yolod-worker is started by yolod; there is nothing to run by hand.\n", stderr);
    return ipc::kExitBadStart;
  }
  worker::lower_profile();
  std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads any more is no reason to die
  if (auto log = common::configure_log({}, "yolod-worker"); !log) return ipc::kExitBadStart;
  try {
    return worker::run();
  } catch (const std::exception& failure) {
    common::log_error("unexpected: {}", failure.what());
    std::terminate();  // a bug of ours: the front-end sees SIGABRT, names it and replaces this process
  }
}
