#include "app/process/loader_process.hpp"

#include <csignal>
#include <utility>

#include "app/process/settings_memfd.hpp"
#include "ipc/layout.hpp"

namespace yolod::app::process {

using common::Outcome;

LoaderProcess::LoaderProcess(boost::asio::io_context& io, common::UniqueFd control, LoaderEvents events)
    : events_(std::move(events)),
      control_(io, std::move(control), ipc::kLoaderLaunchId,
               {[this](const auto& message, pid_t) { return take_milestone(message); },
                [this](std::string_view why) { events_.broken(*this, why); }, [this] { events_.closed(*this); }}) {}

Outcome<std::unique_ptr<LoaderProcess>> LoaderProcess::start(boost::asio::io_context& io, const SpawnSettings& spawn,
                                                             const ipc::InputArena& arena,
                                                             const std::string& config_yaml, int output, ChildKind kind,
                                                             LoaderEvents events) {
  auto channel = ipc::make_control_channel();
  if (!channel) return channel.error();
  const auto config = make_settings_memfd(config_yaml);
  if (!config) return config.error();
  InheritedDescriptors inherited;
  inherited.output = output;
  inherited.control = channel->second.get();
  inherited.arena = arena.descriptor();
  inherited.config = config->get();
  const auto pid = process::spawn(spawn, spec_of(kind), inherited);
  if (!pid) return pid.error();

  std::unique_ptr<LoaderProcess> loader(new LoaderProcess(io, std::move(channel->first), std::move(events)));
  loader->pid_ = *pid;
  loader->control_.listen();
  return loader;
}

bool LoaderProcess::take_milestone(const ipc::MilestoneMessage& message) {
  const bool loading = said_hello_ && !ready_ && load_failure_.empty();
  switch (message.milestone) {
    case ipc::Milestone::kHello:
      if (said_hello_) return false;
      said_hello_ = true;
      return true;
    case ipc::Milestone::kReady:
      if (!loading) return false;
      if (reaped_) return true;
      ready_ = true;
      load_time_ = std::chrono::milliseconds(message.load_ms);
      sandbox_ = ipc::sandbox_of(message);
      events_.ready(*this);
      return true;
    case ipc::Milestone::kLoadFailed:
      if (!loading) return false;
      load_failure_ = ipc::load_failure_of(message);
      return true;
    case ipc::Milestone::kDenied: {
      const DeniedCall call = denied_call_of(message);
      if (call.soft_errno == 0) {
        fatal_call_ = call;  // of the loader, or of a process that it forked for a worker
      } else if (!std::exchange(told_soft_denial_, true)) {
        events_.denied(*this, call);
      }
      constexpr int kMostDenied = 100;  // far more than a correct loader reports
      return said_hello_ && ++denied_count_ <= kMostDenied;
    }
  }
  return false;
}

void LoaderProcess::read_last_words() {
  reaped_ = true;
  control_.read_now();
}

// The pid cannot be reused here: only this process reaps the loader.
void LoaderProcess::send_signal(int signal) const { kill(pid_, signal); }

}  // namespace yolod::app::process
