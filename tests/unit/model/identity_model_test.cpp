#include "model/identity_model.hpp"
#include "model/load_context.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <array>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

using namespace yolod::model;
using namespace std::chrono_literals;
using yolod::common::IdentityAnswer;
using yolod::common::IdentityLoadFault;
using yolod::common::IdentitySource;

namespace {

// Appends the calls that the mark receives to a string, with the mark's name.
class RecordingMark final : public WorkMark {
 public:
  RecordingMark(std::string& told, char name) : told_(&told), name_(name) {}
  void own_work_began() override { *told_ += {'+', name_}; }
  void own_work_ended(bool goes_on) override { *told_ += {goes_on ? '-' : '!', name_}; }

 private:
  std::string* told_;
  char name_;
};

const std::string kSomeBody = "body";

Input input_of(const std::string& body) { return {std::as_bytes(std::span<const char>(body))}; }

std::unique_ptr<Model> load(const IdentitySource& source, const LoadContext& context = {}) {
  auto model = load_identity_model(source, context);
  REQUIRE(model.ok());
  return std::move(model).value();
}

IdentityAnswer answer_of(const Output& output) { return std::get<IdentityAnswer>(output.prediction.value()); }

// Runs `action` in a child process and returns the child's wait status. A timer kills the child after 10 s.
int status_of(const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    // Catch's handlers would report the signal as a failed test.
    for (const int signal : {SIGSEGV, SIGABRT}) std::signal(signal, SIG_DFL);
    ::alarm(10);
    action();
    ::_exit(42);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

int status_of_body(const std::string& body) {
  return status_of([&body] {
    const auto model = load_identity_model({.faults = true}, {});
    const auto input = input_of(body);
    (void)(*model)->run({&input, 1});
  });
}

bool died_of(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }

}  // namespace

TEST_CASE("IdentityModel: the answer holds size, zlib's CRC-32 and pid, in the order of the inputs", "[model][unit]") {
  const auto model = load({});
  const std::string digits = "123456789";
  const std::string nothing;
  const std::vector<Input> inputs{input_of(digits), input_of(nothing)};
  const auto outputs = model->run(inputs);
  REQUIRE(outputs.size() == 2);
  CHECK(answer_of(outputs[0]) == IdentityAnswer{9, 0xCBF43926, static_cast<std::uint32_t>(::getpid())});
  CHECK(answer_of(outputs[1]) == IdentityAnswer{0, 0, static_cast<std::uint32_t>(::getpid())});
}

TEST_CASE("IdentityModel: the model describes itself and needs no warm-up", "[model][unit]") {
  const auto model = load({});
  CHECK(model->description().task == "identity");
  CHECK(model->description().precision.empty());
  CHECK(model->warm_up(std::array<std::size_t, 1>{1}).ok());
}

TEST_CASE("IdentityModel: the delay passes once for a batch", "[model][unit]") {
  const auto model = load({.delay = 300ms});
  const std::string body = "x";
  const std::vector<Input> inputs(5, input_of(body));
  const auto start = std::chrono::steady_clock::now();
  const auto outputs = model->run(inputs);
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(took >= 300ms);
  CHECK(took < 1'500ms);
  CHECK(outputs[4].times.infer_us >= 300'000);
}

TEST_CASE("IdentityModel: without faults enabled, a body that names a fault is an ordinary body", "[model][unit]") {
  const auto model = load({});
  for (const std::string body : {"FAULT:segv", "FAULT:abort", "FAULT:exit", "FAULT:hang", "FAULT:oom"}) {
    const auto input = input_of(body);
    CHECK(answer_of(model->run({&input, 1}).front()).bytes == body.size());
  }
}

TEST_CASE("IdentityModel: each fault ends the process in the way that its name says", "[model][unit]") {
  CHECK(died_of(status_of_body("FAULT:segv and more"), SIGSEGV));
  CHECK(died_of(status_of_body("FAULT:abort"), SIGABRT));
  const int exited = status_of_body("FAULT:exit");
  CHECK(WIFEXITED(exited));
  CHECK(WEXITSTATUS(exited) == 1);
  CHECK(WEXITSTATUS(status_of_body("FAULT:unknown")) == 42);
  CHECK(WEXITSTATUS(status_of_body(" FAULT:segv")) == 42);
}

TEST_CASE("IdentityModel: the oom fault aborts the process", "[model][unit]") {
  CHECK(died_of(status_of_body("FAULT:oom"), SIGABRT));
}

TEST_CASE("IdentityModel: a hang lasts until a signal ends it", "[model][unit]") {
  const int status = status_of([] {
    ::alarm(1);
    const auto model = load_identity_model({.faults = true}, {});
    const std::string body = "FAULT:hang";
    const auto input = input_of(body);
    (void)(*model)->run({&input, 1});
  });
  CHECK(died_of(status, SIGALRM));
}

TEST_CASE("IdentityModel: the model marks each body while it works on that body, and marks no other", "[model][unit]") {
  std::string told;
  std::vector<RecordingMark> marks{{told, 'a'}, {told, 'b'}};
  std::vector<Input> inputs{input_of(kSomeBody), input_of(kSomeBody)};
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].mark = &marks[i];
  CHECK(load({})->run(inputs).size() == 2);
  CHECK(told == "+a-a+b-b");
}

TEST_CASE("IdentityModel: the scribble fault calls the context's function and then answers", "[model][unit]") {
  int calls = 0;
  LoadContext context;
  context.fault_hooks.scribble_lane = [&calls] { ++calls; };
  const auto model = load({.faults = true}, context);
  const std::string body = "FAULT:scribble";
  const auto input = input_of(body);
  CHECK(answer_of(model->run({&input, 1}).front()).bytes == body.size());
  CHECK(calls == 1);
  // Outside a worker there is no shared-memory lane to damage. The model still answers.
  CHECK(load({.faults = true})->run({&input, 1}).front().prediction.ok());
}

TEST_CASE("IdentityModel: signals do not shorten the delay of the load", "[model][unit]") {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &action, &before);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    for (int i = 0; i < 20; ++i) {
      ::usleep(3'000);
      ::kill(parent, SIGUSR1);
    }
    ::_exit(0);
  }
  const auto start = std::chrono::steady_clock::now();
  (void)load({.load_delay = 80ms});
  CHECK(std::chrono::steady_clock::now() - start >= 80ms);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("IdentityModel: each load fault takes effect in the load or in the warm-up", "[model][unit]") {
  const auto status_of_load = [](IdentityLoadFault fault) {
    return status_of([fault] { (void)load_identity_model({.load_fault = fault}, {}); });
  };
  CHECK(WEXITSTATUS(status_of_load(IdentityLoadFault::kNone)) == 42);
  CHECK(WEXITSTATUS(status_of_load(IdentityLoadFault::kExit)) == 1);
  CHECK(died_of(status_of_load(IdentityLoadFault::kCrash), SIGSEGV));
  const int hung = status_of([] {
    ::alarm(1);
    (void)load_identity_model({.load_fault = IdentityLoadFault::kHang}, {});
  });
  CHECK(died_of(hung, SIGALRM));
  CHECK(WEXITSTATUS(status_of_load(IdentityLoadFault::kWarmUpCrash)) == 42);
  const int warmed = status_of([] {
    const auto model = load_identity_model({.load_fault = IdentityLoadFault::kWarmUpCrash}, {});
    (void)(*model)->warm_up(std::array<std::size_t, 1>{1});
  });
  CHECK(died_of(warmed, SIGSEGV));
}
