// Gives tests of exchanges a model whose worker is a fake.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <utility>

#include "app/api/call_exchange.hpp"
#include "app/serving/models.hpp"
#include "tests/unit/app/schedule/fake_worker.hpp"

namespace yolod::app::api {

inline common::ModelConfig echo_config() {
  common::ModelConfig config;
  config.name = "echo";
  config.source = common::IdentitySource{};
  config.batch.max_size = 4;
  return config;
}

class ModelBench : public serving::Models {
 public:
  static constexpr std::uint64_t kArenaBytes = 8U << 20U;

  explicit ModelBench(common::ModelConfig settings = echo_config(), common::ModelDescription description = {})
      : config(std::move(settings)) {
    worker.describes = std::move(description);
    dispatcher.worker_ready(worker);
  }
  virtual ~ModelBench() {
    dispatcher.shut_down();
    turn();
  }

  [[nodiscard]] std::shared_ptr<serving::ServedModel> find(std::string_view name) const override {
    return is_there && (name.empty() || name == config.name) ? model : nullptr;
  }
  [[nodiscard]] bool is_unloaded(std::string_view name) const override { return was_unloaded && name == config.name; }
  void turn() {
    io.restart();
    io.poll();
  }
  // The worker answers all requests that it has been given. Returns their count.
  std::size_t serve() {
    const auto cells = worker.take();
    for (const auto& cell : cells) worker.complete(cell);
    dispatcher.worker_completions(worker);
    turn();
    return cells.size();
  }
  // Returns the value that the metrics' line with that name and label has, as text.
  [[nodiscard]] double answers(const std::string& model_name, int code) const {
    for (const auto& family : metrics.collect()) {
      if (family.name != "yolod_requests_total") continue;
      for (const auto& series : family.metric) {
        bool is_it = true;
        for (const auto& label : series.label) {
          is_it &= label.value == (label.name == "model" ? model_name : std::to_string(code));
        }
        if (is_it) return series.counter.value;
      }
    }
    return 0;
  }

  boost::asio::io_context io;
  common::ModelConfig config;
  common::ServerConfig server;
  bool is_there{true};
  bool was_unloaded{false};
  bool drains{false};
  observe::Metrics metrics;
  observe::ModelMetrics model_metrics{metrics, config.name};
  ipc::InputArena arena{ipc::InputArena::create(kArenaBytes).value()};
  serving::BodyRoom body_room{io, arena};
  schedule::CompletionPoll poll{io, arena, {[] { return false; }, [] {}}};
  schedule::FakeWorker worker{config};
  schedule::Dispatcher dispatcher{io, config, model_metrics, poll, [] { return std::nullopt; }};
  std::shared_ptr<serving::ServedModel> model{
      std::make_shared<serving::ServedModel>(serving::ServedModel{&config, dispatcher, model_metrics})};
  CallContext context{*this, body_room, metrics, server, [this] { return drains; }};
};

}  // namespace yolod::app::api
