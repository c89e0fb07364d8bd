#include "model/identity_model.hpp"

#include <libdeflate.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.hpp"
#include "model/forbidden_call.hpp"
#include "model/json_picture.hpp"
#include "model/load_context.hpp"

namespace yolod::model {
namespace {

using common::IdentityLoadFault;
using common::Outcome;

// Sleeps for the whole duration, also if signals arrive meanwhile.
void sleep_fully(std::chrono::milliseconds duration) {
  if (duration.count() <= 0) return;
  timespec left{};
  left.tv_sec = static_cast<std::time_t>(duration.count() / 1000);
  left.tv_nsec = static_cast<long>(duration.count() % 1000) * 1'000'000;
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

// Uses only calls that a sealed worker may make.
[[noreturn]] void hang() {
  while (true) ::poll(nullptr, 0, -1);
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

// Aborts like a program that does not handle a failed allocation. It touches some memory and then asks for more than
// a process can have, so that the rest of the machine keeps its memory.
[[noreturn]] void run_out_of_memory() {
  constexpr std::size_t kChunk = std::size_t{4} << 20U;
  constexpr std::size_t kTouched = 16 * kChunk;
  constexpr std::size_t kMoreThanThereIs = std::size_t{1} << 48U;
  for (std::size_t taken = 0;; taken += kChunk) {
    const std::size_t wanted = taken < kTouched ? kChunk : kMoreThanThereIs;
    void* chunk = ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED) die_of(SIGABRT);
    std::memset(chunk, 0x5A, kChunk);
  }
}

// Prints the text after the fault's name to stderr, `times` times.
void print(std::string_view text, int times) {
  for (int i = 0; i < times; ++i) {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  }
}

// Reports the result of a forbidden call. It is always an Error, because the request or the load must not continue.
common::Error told(std::string_view name, int outcome) {
  const char* const why = ::strerrorname_np(outcome);
  return {common::ErrorCode::kInvalidParameter, "FAULT:" + std::string(name) +
                                                    (outcome == 0 ? ": it was allowed" : ": denied by ") +
                                                    (outcome == 0     ? ""
                                                     : why != nullptr ? why
                                                                      : std::to_string(outcome))};
}

class IdentityModel final : public Model {
 public:
  IdentityModel(const common::IdentitySource& source, const LoadContext& context) : source_(source), context_(context) {
    description_.task = "identity";
    description_.device = "cpu";
  }

  [[nodiscard]] const common::ModelDescription& description() const override { return description_; }
  [[nodiscard]] Outcome<void> warm_up(std::span<const std::size_t> /*sizes*/) override {
    if (source_.load_fault == IdentityLoadFault::kWarmUpCrash) die_of(SIGSEGV);
    return {};
  }
  [[nodiscard]] Outcome<void> use_threads(std::uint32_t /*threads*/) override { return {}; }

  [[nodiscard]] Outcome<void> self_test(SealedProcess process) override {
    const auto& probe = source_.loader_probe;
    if (process == SealedProcess::kLoader && source_.faults && !probe.empty()) {
      const auto outcome = try_forbidden_call(probe, ::getppid(), context_.fault_hooks.arena);
      if (!outcome) return common::Error{common::ErrorCode::kBadModel, "loader_probe: unknown call " + probe};
      return common::Error{common::ErrorCode::kBadModel, told(probe, *outcome).message};
    }
    (void)answer_to({});
    return {};
  }

  [[nodiscard]] std::vector<Output> run(std::span<const Input> inputs) override {
    const auto start = common::Clock::now();
    sleep_fully(source_.delay);
    std::vector<Output> outputs(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const OwnWork own_work(inputs[i]);
      std::vector<std::byte> unwrapped;
      const auto body = picture_of(inputs[i], unwrapped);
      if (!body) {
        outputs[i].prediction = body.error();
        continue;
      }
      if (source_.faults) misbehave_if_asked(*body);
      outputs[i].prediction = answer_to(*body);
      if (!source_.faults) continue;
      if (auto refused = forbidden_call_if_asked(*body)) outputs[i].prediction = std::move(*refused);
    }
    const auto took = common::elapsed_us(start, common::Clock::now());
    for (auto& output : outputs) output.times.infer_us = took;
    return outputs;
  }

 private:
  [[nodiscard]] static common::Prediction answer_to(std::span<const std::byte> body) {
    common::IdentityAnswer answer;
    answer.bytes = body.size();
    answer.crc32 = libdeflate_crc32(0, body.data(), body.size());
    answer.worker_pid = static_cast<std::uint32_t>(::getpid());
    return answer;
  }

  // Accepts "FAULT:kill" and "FAULT:kill 4711".
  [[nodiscard]] static std::optional<common::Error> forbidden_call_if_asked(std::span<const std::byte> body) {
    constexpr std::string_view kPrefix = "FAULT:";
    std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    if (!text.starts_with(kPrefix)) return std::nullopt;
    text.remove_prefix(kPrefix.size());
    const auto name = text.substr(0, text.find(' '));
    pid_t target = 0;
    if (name.size() < text.size()) {
      const auto number = text.substr(name.size() + 1);
      std::from_chars(number.data(), number.data() + number.size(), target);
    }
    const auto outcome = try_forbidden_call(name, target > 0 ? target : ::getppid(), body);
    if (!outcome) return std::nullopt;
    return told(name, *outcome);
  }

  void misbehave_if_asked(std::span<const std::byte> body) const {
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    if (text.starts_with("FAULT:segv")) die_of(SIGSEGV);
    if (text.starts_with("FAULT:abort")) die_of(SIGABRT);
    if (text.starts_with("FAULT:exit")) ::_exit(1);
    if (text.starts_with("FAULT:hang")) hang();
    if (text.starts_with("FAULT:oom")) run_out_of_memory();
    constexpr std::string_view kPrint = "FAULT:print";
    constexpr std::string_view kFlood = "FAULT:flood";
    if (text.starts_with(kPrint)) print(text.substr(kPrint.size()), 1);
    if (text.starts_with(kFlood)) print(text.substr(kFlood.size()), 100'000);
    if (text.starts_with("FAULT:device") && context_.device_lost) {
      context_.device_lost(description_.device + " does not compute any more: FAULT:device");
    }
    const auto& hooks = context_.fault_hooks;
    if (text.starts_with("FAULT:scribble") && hooks.scribble_lane) hooks.scribble_lane();
    if (text.starts_with("FAULT:ring") && hooks.ring_doorbell) {
      while (true) hooks.ring_doorbell();
    }
  }

  common::IdentitySource source_;
  LoadContext context_;
  common::ModelDescription description_;
};

}  // namespace

Outcome<std::unique_ptr<Model>> load_identity_model(const common::IdentitySource& source, const LoadContext& context) {
  sleep_fully(source.load_delay);
  switch (source.load_fault) {
    case IdentityLoadFault::kNone:
    case IdentityLoadFault::kWarmUpCrash: break;  // it happens in warm_up()
    case IdentityLoadFault::kExit: ::_exit(1);
    case IdentityLoadFault::kCrash: die_of(SIGSEGV);
    case IdentityLoadFault::kHang: hang();
  }
  return std::unique_ptr<Model>(std::make_unique<IdentityModel>(source, context));
}

}  // namespace yolod::model
