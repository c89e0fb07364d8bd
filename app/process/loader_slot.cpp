#include "app/process/loader_slot.hpp"

#include <csignal>
#include <utility>

#include "app/process/run_at.hpp"
#include "common/awake_clock.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"

namespace yolod::app::process {

using common::AwakeClock;

namespace {

// The longest time between the end of the loader's channel and its death.
constexpr std::chrono::seconds kGrace{1};

}  // namespace

LoaderSlot::LoaderSlot(boost::asio::io_context& io, std::string model, std::chrono::milliseconds load_timeout,
                       Hooks hooks)
    : model_(std::move(model)), load_timeout_(load_timeout), hooks_(std::move(hooks)), timer_(io) {}

void LoaderSlot::start() {
  condemned_ = false;
  starts_at_ = AwakeClock::now();
  auto started = hooks_.launch(
      {[this](LoaderProcess&) { became_ready(); }, [this](LoaderProcess&, std::string_view why) { condemn(why); },
       [this](LoaderProcess& loader, const DeniedCall& call) { hooks_.denied(loader.pid(), call); },
       [this](LoaderProcess&) { suspect(); }});
  if (!started) {
    if (hooks_.gives_up(DeathCause::kOwnFault, started.error().message)) return;
    replace(DeathCause::kOwnFault, fmt::format("model {}: cannot start: {}", model_, started.error().message));
    return;
  }
  process_ = std::move(*started);
  run_at(timer_, AwakeClock::now() + load_timeout_, lifeline_, [this, pid = process_->pid()] {
    if (this->pid() == pid && !process_->ready()) condemn("not ready after load_timeout");
  });
}

void LoaderSlot::became_ready() {
  timer_.cancel();
  policy_.on_ready(AwakeClock::now());
  common::log_info("loader {} ({}): loaded in {} ms", process_->pid(), model_, process_->load_time().count());
  hooks_.ready(*process_);
}

void LoaderSlot::suspect() {
  run_at(timer_, AwakeClock::now() + kGrace, lifeline_, [this, pid = process_->pid()] {
    if (this->pid() == pid) condemn("it does not listen");
  });
}

void LoaderSlot::condemn(std::string_view why) {
  if (!process_ || condemned_) return;
  condemned_ = true;
  common::log_error("loader {} ({}) is killed: {}", process_->pid(), model_, why);
  process_->send_signal(SIGKILL);
}

bool LoaderSlot::fork_worker(const ipc::LentDescriptors& descriptors) {
  const bool asked = process_->fork_worker(descriptors);
  common::reach(common::FaultPoint::kFrontEndAskedForFork);
  if (!asked) suspect();
  return asked;
}

void LoaderSlot::reaped(Death death, bool is_over) {
  timer_.cancel();
  process_->read_last_words();
  const auto loader = std::exchange(process_, nullptr);
  const pid_t pid = loader->pid();
  if (loader->fatal_call()) death.denied_call = name_of(*loader->fatal_call());
  const auto cause = condemned_ ? DeathCause::kOwnFault : spec_of(ChildKind::kLoader).classify(death, loader->ready());
  if (is_over) {
    common::log_debug("loader {} ({}) is gone: {}", pid, model_, describe(death));
    return;
  }
  const auto& failure = loader->load_failure();
  if (hooks_.gives_up(cause, failure.empty() ? "its loader ended while it loaded: " + describe(death) : failure)) {
    return;
  }
  std::string what = fmt::format("{} {}", death.signaled ? "died of" : "exited:", describe(death));
  if (!loader->ready()) what += " before it had loaded";
  if (!failure.empty()) what += ": " + failure;
  replace(cause, fmt::format("loader {} ({}) {}", pid, model_, what));
}

void LoaderSlot::replace(DeathCause cause, const std::string& what) {
  const auto at = hooks_.next_start(policy_, cause, what);
  if (!at) return;
  starts_at_ = *at;
  run_at(timer_, *at, lifeline_, [this] {
    if (!process_ && hooks_.may_start()) start();
  });
}

void LoaderSlot::ask_to_stop() {
  if (!process_) return;
  if (process_->ready()) {
    process_->ask_to_stop();
  } else {
    process_->send_signal(SIGTERM);  // the model that it loads is not needed any more
  }
}

void LoaderSlot::send_signal(int signal) {
  if (process_) process_->send_signal(signal);
}

LoaderStatus LoaderSlot::status() const {
  return process_ ? LoaderStatus{process_->pid(), process_->ready(), process_->sandbox()} : LoaderStatus{};
}

}  // namespace yolod::app::process
