// Provides models whose processes are fakes, for tests of pools and of their registry.
#pragma once

#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/process/reaper.hpp"
#include "app/serving/model_pool.hpp"
#include "common/awake_clock.hpp"
#include "tests/support/puppets.hpp"

namespace yolod::app::serving {

class PoolBench {
 public:
  PoolBench() {
    spawn.programs["yolod-worker"] = tests::Puppets::program();
    getrlimit(RLIMIT_NOFILE, &spawn.open_files);
    puppets.by_hand = false;
    puppets.turn = [this] { turn(); };
  }
  PoolBench(const PoolBench&) = delete;
  PoolBench& operator=(const PoolBench&) = delete;
  ~PoolBench() { turn(); }

  [[nodiscard]] common::ModelConfig config(const std::string& name) const {
    common::ModelConfig config;
    config.name = name;
    config.workers = 2;
    config.batch.max_size = 2;
    common::IdentitySource source;
    source.loader_probe = puppets.path();
    config.source = source;
    return config;
  }
  [[nodiscard]] ModelPool::Events events() {
    return {[this](ModelPool& pool, const std::string& reason) { gave_up.push_back(pool.name() + ": " + reason); },
            [this] { ++ready_changes; }};
  }
  [[nodiscard]] bool until(const std::function<bool()>& done) { return puppets.wait_until(done); }

  std::uint64_t ask(ModelPool& pool) {
    schedule::Job job;
    const auto id = job.id = pool.dispatcher().new_id();
    auto block = arena.allocate(7);
    REQUIRE(block);
    block->end_upload();
    std::memcpy(block->bytes().data(), "picture", 7);
    job.content_offset = block->offset();
    job.content = block->bytes().first(7);
    job.block = std::move(*block);
    pool.dispatcher().ask(std::move(job), schedule::AnswerHandler::from([this, id](const schedule::Answer& answer) {
                            predicted_[id] = answer.prediction.ok();
                          }));
    return id;
  }
  [[nodiscard]] bool is_answered(std::uint64_t id) const { return predicted_.count(id) != 0; }
  [[nodiscard]] bool is_predicted(std::uint64_t id) const { return predicted_.at(id); }
  // Sends one request and checks that it is answered successfully.
  [[nodiscard]] bool predict(ModelPool& pool) {
    const auto id = ask(pool);
    return until([&] { return is_answered(id); }) && is_predicted(id);
  }
  // Ends all processes of the model.
  template <typename Owner>
  void stop(Owner& owner) {
    if constexpr (requires { owner.shut_down(); }) {
      owner.shut_down();
      for (const auto& pool : owner.pools()) pool->ask_all_to_stop();
    } else {
      owner.stop_respawning();
      owner.dispatcher().shut_down();
      owner.ask_all_to_stop();
    }
    CHECK(until([&owner] { return !owner.any_alive(); }));
  }
  void turn() {
    (void)common::AwakeClock::now();  // no other reader empties it often enough
    io.restart();
    io.poll();
    process::reap_children([this](pid_t pid, const process::Death& death) { (void)children.reaped(pid, death); });
  }

  boost::asio::io_context io;
  tests::Puppets puppets;
  process::SpawnSettings spawn;
  process::ChildTable children;
  ipc::InputArena arena{ipc::InputArena::create(1U << 20U).value()};
  observe::Metrics metrics;
  schedule::CompletionPoll poll{io, arena, {[] { return false; }, [] {}}};
  PoolContext context{io, spawn, children, arena, metrics, poll};
  std::vector<std::string> gave_up;
  int ready_changes{0};

 private:
  std::map<std::uint64_t, bool> predicted_;
};

}  // namespace yolod::app::serving
