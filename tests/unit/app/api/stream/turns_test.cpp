#include "app/api/stream/turns.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/app/api/model_bench.hpp"

namespace yolod::app::api::stream {
namespace {
namespace turns_cases {

struct Taker final : TurnTaker {
  Taker(std::string& log, char own_name) : taken(log), name(own_name) {}
  void take_turn() override { taken += name; }
  std::string& taken;
  char name;
};

common::ModelConfig config_of(std::uint32_t workers, std::uint32_t batch) {
  auto config = echo_config();
  config.workers = workers;
  config.batch.max_size = batch;
  return config;
}

TEST_CASE("Turns: without batches as many pictures as workers go at once, and the others wait in line", "[app][unit]") {
  ModelBench bench(config_of(2, 1));
  Turns turns(bench.io, bench);
  std::string taken;
  Taker a(taken, 'a'), b(taken, 'b'), c(taken, 'c'), d(taken, 'd');
  for (Taker* const one : {&a, &b, &c, &d}) turns.enter("echo", *one);
  CHECK(taken == "ab");
  turns.give_back("echo");
  bench.turn();
  CHECK(taken == "abc");
  turns.enter("echo", a);  // behind d
  turns.give_back("echo");
  turns.give_back("echo");
  bench.turn();
  CHECK(taken == "abcda");
}

TEST_CASE("Turns: with batches two batches for each worker go at once", "[app][unit]") {
  ModelBench bench(config_of(1, 4));
  Turns turns(bench.io, bench);
  std::string taken;
  std::vector<std::unique_ptr<Taker>> takers;
  for (int i = 0; i < 10; ++i) {
    takers.push_back(std::make_unique<Taker>(taken, 'a'));
    turns.enter("echo", *takers.back());
  }
  CHECK(taken.size() == 8);
}

TEST_CASE("Turns: each model has its line, and a model that is gone has one turn at a time", "[app][unit]") {
  ModelBench bench(config_of(1, 1));
  Turns turns(bench.io, bench);
  std::string taken;
  Taker a(taken, 'a'), b(taken, 'b'), c(taken, 'c');
  turns.enter("echo", a);
  turns.enter("gone", b);
  turns.enter("gone", c);
  CHECK(taken == "ab");
  turns.give_back("gone");
  bench.turn();
  CHECK(taken == "abc");
}

TEST_CASE("Turns: a stream that ends leaves the line", "[app][unit]") {
  ModelBench bench(config_of(1, 1));
  Turns turns(bench.io, bench);
  std::string taken;
  Taker a(taken, 'a'), c(taken, 'c');
  turns.enter("echo", a);
  {
    Taker b(taken, 'b');
    turns.enter("echo", b);
    turns.enter("echo", c);
  }
  turns.give_back("echo");
  bench.turn();
  CHECK(taken == "ac");
}

}  // namespace turns_cases
}  // namespace
}  // namespace yolod::app::api::stream
