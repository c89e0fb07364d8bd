#include "app/host/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "app/host/block_signals.hpp"
#include "common/system/foreign_signals.hpp"
#include "common/system/signal_mask.hpp"

namespace yolod::app::host {
namespace {

sigset_t front_end_signals() {
  sigset_t ours = common::signal_set({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, SIGUSR1, SIGTTIN, SIGTTOU});
  common::for_each_foreign_signal([&ours](int signal) { sigaddset(&ours, signal); });
  return ours;
}

}  // namespace

void block_front_end_signals() {
  const sigset_t ours = front_end_signals();
  sigprocmask(SIG_SETMASK, &ours, nullptr);
  for (int signal = 1; signal < NSIG; ++signal) {
    if (sigismember(&ours, signal) == 1) std::signal(signal, SIG_DFL);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

common::Outcome<std::unique_ptr<SignalReader>> SignalReader::open(boost::asio::io_context& io,
                                                                  std::function<void(int)> handler) {
  const sigset_t ours = front_end_signals();
  const int descriptor = signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor < 0) return common::last_system_error("signalfd");
  std::unique_ptr<SignalReader> reader(new SignalReader(io, descriptor, std::move(handler)));
  reader->wait();
  return reader;
}

void SignalReader::wait() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code failure) {
    if (failure) return;
    signalfd_siginfo info{};
    while (read(descriptor_.native_handle(), &info, sizeof info) == sizeof info) {
      handler_(static_cast<int>(info.ssi_signo));
      if (!descriptor_.is_open()) return;
    }
    wait();
  });
}

}  // namespace yolod::app::host
