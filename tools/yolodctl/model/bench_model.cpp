// yolodctl bench model measures a network's forward pass in this process, without decoding pictures.
#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "model/load/load_network.hpp"
#include "model/precision.hpp"
#include "tools/progress/progress_bar.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model/json_line.hpp"
#include "tools/yolodctl/model/model_options.hpp"

namespace yolod::tools {
namespace {

using common::Clock;
using common::Outcome;

struct BenchModelOptions {
  ModelOptions model;
  std::optional<std::uint32_t> threads;
  std::size_t batch{1};
  std::size_t rounds{10};
  double seconds{1};
  bool json{false};
};

// The milliseconds of one pass, over all rounds.
struct Timing {
  double median_ms{0};
  double least_ms{0};
  double most_ms{0};
  std::size_t passes{0};
};

// Fills the input with different values, which are the same in every run, so that no kernel benefits from equal ones.
void fill(std::span<float> input) {
  std::uint32_t state = 1;
  for (auto& value : input) {
    // A linear congruential generator (with the constants of Numerical Recipes); its upper 24 bits are the fraction.
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8U) / static_cast<float>(1U << 24U);
  }
}

double in_ms(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

Outcome<Timing> measure(model::Network& network, const BenchModelOptions& options) {
  // The first passes make oneDNN's primitives and touch fresh memory.
  constexpr int kWarmUpPasses = 3;
  const auto input = network.new_input(options.batch);
  if (!input) return input.error();
  fill((*input)->values());
  for (int i = 0; i < kWarmUpPasses; ++i) {
    if (const auto head = network.forward(**input, options.batch, {}); !head) return head.error();
  }
  network.prepare(**input, options.batch);

  const std::chrono::duration<double> round_time(options.seconds);
  std::vector<double> rounds;
  Timing timing;
  ProgressBar progress;
  while (rounds.size() < options.rounds) {
    progress.draw(static_cast<double>(rounds.size()) / static_cast<double>(options.rounds),
                  std::to_string(rounds.size()) + " of " + std::to_string(options.rounds) + " rounds");
    const auto start = Clock::now();
    std::size_t passes = 0;
    do {
      if (const auto head = network.forward(**input, options.batch, {}); !head) return head.error();
      ++passes;
    } while (Clock::now() - start < round_time);
    rounds.push_back(in_ms(Clock::now() - start) / static_cast<double>(passes));
    timing.passes += passes;
  }
  std::sort(rounds.begin(), rounds.end());
  const auto middle = rounds.size() / 2;
  timing.median_ms = rounds.size() % 2 == 1 ? rounds[middle] : (rounds[middle - 1] + rounds[middle]) / 2;
  timing.least_ms = rounds.front();
  timing.most_ms = rounds.back();
  return timing;
}

int bench_model(const BenchModelOptions& options) {
  auto chosen = choose_model(options.model);
  if (!chosen) return report(chosen.error());
  if (options.threads) chosen->context.threads = *options.threads;
  const auto loaded = model::load_network(chosen->config, chosen->context);
  if (!loaded) return report(loaded.error());
  const auto timing = measure(*loaded->network, options);
  if (!timing) return report(timing.error());

  const auto& shape = loaded->network->shape();
  const auto precision = std::string(model::to_string(loaded->network->precision()));
  const double images_per_s = 1000 * static_cast<double>(options.batch) / timing->median_ms;
  if (options.json) {
    const boost::json::object whole{{"model", chosen->config.name},
                                    {"device", loaded->network->device()},
                                    {"precision", precision},
                                    {"threads", chosen->context.threads},
                                    {"input_size", {shape.height, shape.width}},
                                    {"batch", options.batch},
                                    {"rounds", options.rounds},
                                    {"passes", timing->passes},
                                    {"ms", timing->median_ms},
                                    {"ms_least", timing->least_ms},
                                    {"ms_most", timing->most_ms},
                                    {"images_per_s", images_per_s}};
    print_json_line(whole);
    return 0;
  }
  std::printf("%s  %zu x %zu  %s  %s  %u thread%s  batch %zu\n", chosen->config.name.c_str(), shape.width, shape.height,
              loaded->network->device().c_str(), precision.c_str(), chosen->context.threads,
              chosen->context.threads == 1 ? "" : "s", options.batch);
  std::printf("%.2f ms a pass, %.1f images/s  (median of %zu rounds, %.2f to %.2f ms; %zu passes)\n", timing->median_ms,
              images_per_s, options.rounds, timing->least_ms, timing->most_ms, timing->passes);
  return 0;
}

}  // namespace

void add_bench_model(CLI::App& bench, int& exit_code) {
  const auto options = std::make_shared<BenchModelOptions>();
  auto* command = bench.add_subcommand(kBenchModel.name, kBenchModel.purpose);
  add_model_options(*command, options->model);
  add_augment_option(*command, options->model);
  command->add_option("--threads", options->threads, "for the forward pass; default all that this process may use")
      ->check(CLI::Range(1, 1'024))
      ->type_name("N");
  command->add_option("--batch", options->batch, "images in one pass")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'024));
  command->add_option("--rounds", options->rounds, "the result is the median of their means")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  command->add_option("--seconds", options->seconds, "the least that a round lasts")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3'600.0));
  command->add_flag("--json", options->json, "the result as JSON, on one line");
  command->callback([options, &exit_code] { exit_code = bench_model(*options); });
}

}  // namespace yolod::tools
