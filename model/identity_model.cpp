#include "model/identity_model.hpp"

#include <libdeflate.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "common/clock.hpp"

namespace yolod::model {
namespace {

using common::IdentityLoadFault;
using common::Outcome;

// The whole time, however many signals arrive meanwhile.
void sleep_fully(std::chrono::milliseconds duration) {
  if (duration.count() <= 0) return;
  timespec left{};
  left.tv_sec = static_cast<std::time_t>(duration.count() / 1000);
  left.tv_nsec = static_cast<long>(duration.count() % 1000) * 1'000'000;
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

[[noreturn]] void hang() {
  while (true) ::pause();
}

[[noreturn]] void die_of(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::raise(signal);
  std::abort();
}

// As an allocation that fails does in a program that is not written for it: abort. The limit keeps the rest of the
// machine out of it.
[[noreturn]] void run_out_of_memory() {
  constexpr rlim_t kRoom = rlim_t{64} << 20U;
  rlimit limit{};
  rlim_t pages = 0;
  if (std::FILE* statm = std::fopen("/proc/self/statm", "re")) {
    unsigned long long size = 0;
    if (std::fscanf(statm, "%llu", &size) == 1) pages = size;
    std::fclose(statm);
  }
  ::getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + kRoom;
  ::setrlimit(RLIMIT_AS, &limit);
  constexpr std::size_t kChunk = std::size_t{4} << 20U;
  while (true) {
    void* chunk = ::mmap(nullptr, kChunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED) die_of(SIGABRT);
    std::memset(chunk, 0x5A, kChunk);
  }
}

class IdentityModel final : public Model {
 public:
  IdentityModel(const common::IdentitySource& source, const Surroundings& surroundings)
      : source_(source), surroundings_(surroundings) {
    description_.task = "identity";
    description_.device = "cpu";
  }

  [[nodiscard]] const common::ModelDescription& description() const override { return description_; }
  [[nodiscard]] Outcome<void> warm_up() override {
    if (source_.load_fault == IdentityLoadFault::kWarmUpCrash) die_of(SIGSEGV);
    return {};
  }
  [[nodiscard]] Outcome<void> use_threads(std::uint32_t /*threads*/) override { return {}; }

  [[nodiscard]] std::vector<Output> run(std::span<const Input> inputs) override {
    const auto start = common::Clock::now();
    sleep_fully(source_.delay);
    std::vector<Output> outputs(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto body = inputs[i].body;
      const OwnWork own_work(inputs[i]);
      if (source_.faults) misbehave_if_asked(body);
      common::IdentityAnswer answer;
      answer.bytes = body.size();
      answer.crc32 = libdeflate_crc32(0, body.data(), body.size());
      answer.worker_pid = static_cast<std::uint32_t>(::getpid());
      outputs[i].prediction = common::Prediction(answer);
    }
    const auto took = common::elapsed_us(start, common::Clock::now());
    for (auto& output : outputs) output.times.infer_us = took;
    return outputs;
  }

 private:
  void misbehave_if_asked(std::span<const std::byte> body) const {
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    if (text.starts_with("FAULT:segv")) die_of(SIGSEGV);
    if (text.starts_with("FAULT:abort")) die_of(SIGABRT);
    if (text.starts_with("FAULT:exit")) ::_exit(1);
    if (text.starts_with("FAULT:hang")) hang();
    if (text.starts_with("FAULT:oom")) run_out_of_memory();
    if (text.starts_with("FAULT:device") && surroundings_.device_lost) {
      surroundings_.device_lost(description_.device + " does not compute any more: FAULT:device");
    }
    const auto& hooks = surroundings_.fault_hooks;
    if (text.starts_with("FAULT:scribble") && hooks.scribble_lane) hooks.scribble_lane();
    if (text.starts_with("FAULT:ring") && hooks.ring_doorbell) {
      while (true) hooks.ring_doorbell();
    }
  }

  common::IdentitySource source_;
  Surroundings surroundings_;
  common::ModelDescription description_;
};

}  // namespace

Outcome<std::unique_ptr<Model>> load_identity_model(const common::IdentitySource& source,
                                                    const Surroundings& surroundings) {
  sleep_fully(source.load_delay);
  switch (source.load_fault) {
    case IdentityLoadFault::kNone:
    case IdentityLoadFault::kWarmUpCrash: break;  // later
    case IdentityLoadFault::kExit: ::_exit(1);
    case IdentityLoadFault::kCrash: die_of(SIGSEGV);
    case IdentityLoadFault::kHang: hang();
  }
  return std::unique_ptr<Model>(std::make_unique<IdentityModel>(source, surroundings));
}

}  // namespace yolod::model
