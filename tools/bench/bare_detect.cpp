// A minimal process that runs a real network, as the yardstick for yolod. It loads a model of a server's config as a
// worker does, on the first of its devices and with its threads (auto: one). It runs the model on one file in a
// loop, BATCH pictures at a time (default one): decoding, resizing, forward pass, detections. It has no server, no
// second process and no requests.
//
//   bare_detect CONFIG MODEL IMAGE [BATCH]
//
// It prints "ready". For each line of stdin, a number of seconds, it runs that long and prints pictures per second
// and the median milliseconds of a batch. To start several processes at the same time, write a line to each.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.hpp"
#include "common/config/schema.hpp"
#include "common/outcome.hpp"
#include "model/load/load_model.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace {

using yolod::common::Clock;
using yolod::common::Error;
using yolod::common::ErrorCode;
using yolod::common::Outcome;
using yolod::model::Model;

Outcome<std::unique_ptr<Model>> load(const std::string& file, const std::string& name) {
  const auto read = yolod::common::load_config(file);
  if (!read.config) return Error{ErrorCode::kBadConfig, to_string(read.problems.front())};
  const auto& models = read.config->models;
  const auto found = std::find_if(models.begin(), models.end(), [&](const auto& model) { return model.name == name; });
  if (found == models.end()) return Error{ErrorCode::kBadConfig, "there is no model " + name};
  yolod::model::LoadContext context;
  context.threads = std::max(1U, found->threads);
  context.device = found->devices.empty() ? "auto" : found->devices.front();
  auto model = yolod::model::load_model(*found, context);
  if (!model) return model;
  if (const auto warm = (*model)->warm_up(std::array<std::size_t, 2>{1, found->batch.size_limit()}); !warm)
    return warm.error();
  return model;
}

Outcome<void> run(Model& model, const std::vector<char>& image, std::size_t batch, double seconds) {
  const std::vector<yolod::model::Input> inputs(batch, {std::as_bytes(std::span(image)), {}});
  std::vector<double> times_ms;
  const auto start = Clock::now();
  auto now = start;
  do {
    const auto outputs = model.run(inputs);
    if (!outputs.front().prediction) return outputs.front().prediction.error();
    const auto before = std::exchange(now, Clock::now());
    times_ms.push_back(std::chrono::duration<double, std::milli>(now - before).count());
  } while (now - start < std::chrono::duration<double>(seconds));
  const double elapsed = std::chrono::duration<double>(now - start).count();
  const auto middle = times_ms.begin() + static_cast<std::ptrdiff_t>(times_ms.size() / 2);
  std::nth_element(times_ms.begin(), middle, times_ms.end());
  std::printf("%.4f %.4f\n", static_cast<double>(batch * times_ms.size()) / elapsed, *middle);
  std::fflush(stdout);
  return {};
}

int fail(const Error& error) {
  std::fprintf(stderr, "bare_detect: %s\n", error.message.c_str());
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t batch = argc == 5 ? std::strtoul(argv[4], nullptr, 10) : 1;
  if (argc < 4 || argc > 5 || batch == 0) {
    std::fprintf(stderr, "usage: bare_detect CONFIG MODEL IMAGE [BATCH]\n");
    return 2;
  }
  try {
    auto model = load(argv[1], argv[2]);
    if (!model) return fail(model.error());
    std::ifstream stream(argv[3], std::ios::binary);
    const std::vector<char> image{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    if (!stream) return fail({ErrorCode::kSystem, std::string("cannot read ") + argv[3]});
    std::printf("ready\n");
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
      if (const auto done = run(**model, image, batch, std::atof(line.c_str())); !done) return fail(done.error());
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bare_detect: %s\n", failure.what());
    return EXIT_FAILURE;
  }
}
