// chaos runs a storm over a real server for a given time, from a given seed, and prints the results. tools/chaos
// builds and runs this program. It exits 0 if no answer was wrong, lost or hung, nothing leaked, and every requested
// action happened.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/chaos/storm.hpp"
#include "tests/support/deadline.hpp"

namespace {

using namespace yolod;

unsigned long long number(std::uint64_t value) { return value; }

void print(const chaos::StormResult& result) {
  using chaos::Action;
  const auto& counts = result.counts;
  const auto line = [](const char* what, std::uint64_t value) { std::printf("%-28s %12llu\n", what, number(value)); };
  line("requests", counts.requests);
  for (const auto& [status, count] : counts.by_status) {
    line(("  answered " + std::to_string(status)).c_str(), count);
  }
  line("  abandoned by the client", counts.abandoned);
  line("  poison among them", counts.poison);
  line("workers killed", counts.times(Action::kKill));
  line("workers interrupted", counts.times(Action::kInterrupt));
  line("workers stopped", counts.times(Action::kHang));
  line("workers added, taken away", counts.times(Action::kResize));
  line("loaders killed", counts.times(Action::kLoaderKill));
  line("deaths of workers told", result.deaths_told);
  line("  of poison among them", result.deaths_by_poison);
  line("reloads asked for", counts.times(Action::kReload));
  line("  of what is broken", counts.times(Action::kBadReload));
  line("  done", result.reloads_done);
  line("  failed", result.reloads_failed);
  std::printf("%-28s %8llu to %llu KiB\n", "front-end's own memory", number(result.front_end_kib_before),
              number(result.front_end_kib_after));
  line("wrong", counts.wrong);
  line("unexpected status", counts.unexpected);
  line("lost", counts.lost);
  line("  sent again among them", counts.resent);
  line("hung", counts.hung);
  line("leaked", result.leaked.size());
  line("unexplained", result.unexplained.size());
  for (const auto& incident : counts.incidents) std::printf("  incident: %s\n", incident.c_str());
  for (const auto& leak : result.leaked) std::printf("  leaked: %s\n", leak.c_str());
  for (const auto& what : result.unexplained) std::printf("  unexplained: %s\n", what.c_str());
  for (const auto& what : result.not_done) std::printf("  shows nothing: %s\n", what.c_str());
}

void add_milliseconds(CLI::App& app, const char* name, std::chrono::milliseconds& value, const char* what) {
  app.add_option_function<unsigned>(
         name, [&value](unsigned ms) { value = std::chrono::milliseconds(ms); }, what)
      ->default_str(std::to_string(value.count()));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A server under load, and everything that must cost no client an answer.", "chaos"};
  chaos::StormOptions options;
  auto seconds = static_cast<unsigned>(options.duration.count());
  std::string log;
  app.add_option("--seconds", seconds, "how long")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--seed", options.seed, "of the mix")->capture_default_str();
  app.add_option("--workers", options.workers, "of the model")->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--connections", options.connections, "that post all the time")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  add_milliseconds(app, "--kill-every", options.kill_every, "ms between two kills; 0: none");
  add_milliseconds(app, "--interrupt-every", options.interrupt_every, "ms between two SIGINTs to workers; 0: none");
  add_milliseconds(app, "--hang-every", options.hang_every, "ms between two SIGSTOPs of workers; 0: none");
  add_milliseconds(app, "--resize-every", options.resize_every, "ms between two of TTIN and TTOU; 0: none");
  add_milliseconds(app, "--reload-every", options.reload_every, "ms between two reloads; 0: none");
  add_milliseconds(app, "--poison-every", options.poison_every, "ms between two poisoned images; 0: none");
  app.add_option("--log", log, "where the server's log is kept; with a failure it is chaos.log otherwise");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.duration = std::chrono::seconds(seconds);
  std::printf("chaos: %u s, seed %llu, %d workers, %zu connections\n", seconds, number(options.seed), options.workers,
              options.connections);
  std::fflush(stdout);
  double said = 0;
  const auto result = chaos::run_storm(options, [&](double part) {
    if (part < said + 0.1 || ::isatty(STDERR_FILENO) == 0) return;
    said = part;
    std::fprintf(stderr, "chaos: %3.0f %%\n", part * 100);
  });
  print(result);
  const bool clean = result.clean();
  if (!clean && log.empty()) log = "chaos.log";
  if (!log.empty()) std::ofstream(log) << result.log;
  std::printf("%s\n", clean ? "nothing wrong, lost, hung or leaked" : ("FAILED; the server's log: " + log).c_str());
  return clean ? 0 : 1;
}
