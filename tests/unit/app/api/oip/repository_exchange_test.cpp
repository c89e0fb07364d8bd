#include "app/api/oip/repository_exchange.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "app/api/oip/settings_exchange.hpp"
#include "tests/unit/app/api/exchange_driver.hpp"

namespace yolod::app::api::oip {
namespace {

using Next = http::Exchange::Next;
using common::Error;
using common::ErrorCode;

class RepositoryBench {
 public:
  // Sends a request with this body, or without a body if it is null.
  Next post(std::unique_ptr<http::Exchange> exchange, const char* body,
            std::initializer_list<std::string_view> captures = {}) {
    driver = std::make_unique<api::ExchangeDriver>(io, std::move(exchange));
    const std::string head = "POST /v2/repository HTTP/1.1\r\nHost: a\r\n";
    if (body == nullptr) return driver->begin(head, captures);
    const std::string text(body);
    const auto next = driver->begin(head + "Content-Length: " + std::to_string(text.size()) + "\r\n", captures);
    return next == Next::kReadBody ? driver->send(text) : next;
  }
  std::string index(const char* body) {
    driver_finish(post(std::make_unique<IndexExchange>(metrics, read), body));
    return answer();
  }
  Next load(const char* body) { return post(std::make_unique<LoadExchange>(metrics, ask), body, {"m"}); }
  void driver_finish(Next next) { driver->finish(next); }
  [[nodiscard]] std::string answer() const { return std::to_string(driver->status()) + " " + driver->body(); }

  boost::asio::io_context io;
  observe::Metrics metrics;
  serving::ServerStatus status;
  ReadStatus read = [this] { return status; };
  std::string asked{"nothing"};
  RepositoryDone done;
  common::ModelConfig adjusted;
  bool is_adjusted{false};
  AskForLoad ask = [this](std::string_view model, const Asker& /*asker*/, const auto& adjust,
                          RepositoryDone when_done) {
    asked = model;
    done = std::move(when_done);
    is_adjusted = adjust && adjust(adjusted).ok();
  };
  AskForUnload ask_to_unload = [this](std::string_view model, const Asker& /*asker*/, RepositoryDone when_done) {
    asked = "unload " + std::string(model);
    done = std::move(when_done);
  };
  std::unique_ptr<api::ExchangeDriver> driver;
};

TEST_CASE("OipLogging: a request may write only the settings that it reads", "[app][unit]") {
  RepositoryBench bench;
  const auto ask = [&bench](const char* body) {
    bench.driver_finish(
        bench.post(std::make_unique<SettingsExchange>(bench.metrics, SettingsExchange::Kind::kLog), body));
    return bench.answer();
  };
  const std::string settings = ask(nullptr);
  CHECK(settings.starts_with(R"(200 {"log_file":"","log_info":true,)"));
  CHECK(ask("{}") == settings);
  CHECK(ask(R"({"log_verbose_level": 0, "log_info": true})") == settings);
  CHECK(ask(R"({"log_verbose_level": 1})") ==
        R"(400 {"error":"the log setting 'log_verbose_level' cannot be changed: system.yaml has it"})");
  CHECK(ask(R"({"log_file_2": ""})") == R"(400 {"error":"unknown log setting 'log_file_2'"})");
  CHECK(ask("[]").starts_with("400 "));
}

TEST_CASE("OipRepository: the index lists all models, or only those that are ready", "[app][unit]") {
  RepositoryBench bench;
  serving::ModelStatus model;
  model.name = "a";
  model.generation = 2;
  model.ready = true;
  bench.status.models.push_back(model);
  model.name = "b";
  model.ready = false;
  bench.status.models.push_back(model);
  const std::string ready = R"({"name":"a","version":"2","state":"READY","reason":""})";
  const std::string both =
      "200 [" + ready + R"(,{"name":"b","version":"2","state":"UNAVAILABLE","reason":"the model has no worker"}])";
  CHECK(bench.index(nullptr) == both);
  CHECK(bench.index("{}") == both);
  CHECK(bench.index(" ") == both);
  CHECK(bench.index(R"({"ready":false})") == both);
  CHECK(bench.index(R"({"ready":true})") == "200 [" + ready + "]");
  CHECK(bench.index(R"({"ready":1})") == R"(400 {"error":"'ready' must be true or false"})");
  CHECK(bench.index("[") == R"(400 {"error":"failed to parse the request JSON buffer"})");
  bench.status.models[1].workers.resize(1);
  CHECK(bench.index(nullptr).find(R"("state":"LOADING","reason":"the model is loading")") != std::string::npos);
}

TEST_CASE("OipRepository: a load answers when the model serves", "[app][unit]") {
  RepositoryBench bench;
  const char* const body = GENERATE(as<const char*>{}, nullptr, "{}", R"({"parameters":{}})");
  REQUIRE(bench.load(body) == Next::kWait);
  bench.driver->wait();
  CHECK(bench.asked == "m");
  CHECK_FALSE(bench.driver->resumed);
  SECTION("the model serves") {
    bench.done({});
    bench.driver->finish_wait();
    CHECK(bench.answer() == "200 ");
  }
  SECTION("there is no such model") {
    bench.done(Error{ErrorCode::kUnknownModel, "no"});
    bench.driver->finish_wait();
    CHECK(bench.answer() == R"(500 {"error":"failed to load 'm', failed to poll from model repository"})");
  }
  SECTION("the model's files are wrong") {
    bench.done(Error{ErrorCode::kBadModel, "m.weights is short"});
    bench.driver->finish_wait();
    CHECK(bench.answer() == R"(500 {"error":"failed to load 'm', m.weights is short"})");
  }
  SECTION("another reload is under way") {
    bench.done(Error{ErrorCode::kNotReady, "another reload is under way"});
    bench.driver->finish_wait();
    CHECK(bench.answer() == R"(503 {"error":"another reload is under way"})");
  }
}

TEST_CASE("OipRepository: a load may replace settings, and anything else is refused", "[app][unit]") {
  RepositoryBench bench;
  for (const char* body : {R"({"parameters":{"config":"{\"backend\":\"x\"}"}})", R"({"parameters":3})", "nonsense",
                           R"({"parameters":{"config":{}}})", R"({"parameters":{"file:1/model.pt":"aGk="}})"}) {
    bench.driver_finish(bench.load(body));
    CHECK(bench.answer().starts_with(R"(400 {"error":")"));
  }
  CHECK(bench.asked == "nothing");
  REQUIRE(bench.load(R"({"parameters":{"config":"{\"instance_group\":[{\"count\":3}]}"}})") == Next::kWait);
  bench.driver->wait();
  CHECK(bench.asked == "m");
  CHECK(bench.is_adjusted);
  CHECK(bench.adjusted.workers == 3);
  bench.done({});
  bench.driver->finish_wait();
  CHECK(bench.answer() == "200 ");
}

TEST_CASE("OipRepository: an unload answers when the model has no process", "[app][unit]") {
  RepositoryBench bench;
  const char* const body = GENERATE(as<const char*>{}, nullptr, "{}", R"({"parameters":{"unload_dependents":false}})");
  REQUIRE(bench.post(std::make_unique<UnloadExchange>(bench.metrics, bench.ask_to_unload), body, {"m"}) == Next::kWait);
  bench.driver->wait();
  CHECK(bench.asked == "unload m");
  SECTION("it is gone") {
    bench.done({});
    bench.driver->finish_wait();
    CHECK(bench.answer() == "200 ");
  }
  SECTION("there is no such model") {
    bench.done(Error{ErrorCode::kUnknownModel, "no"});
    bench.driver->finish_wait();
    CHECK(bench.answer() == R"(500 {"error":"failed to unload 'm', failed to poll from model repository"})");
  }
  SECTION("a reload is under way") {
    bench.done(Error{ErrorCode::kNotReady, "a reload is under way"});
    bench.driver->finish_wait();
    CHECK(bench.answer() == R"(503 {"error":"a reload is under way"})");
  }
}

TEST_CASE("OipRepository: the index lists unloaded models with the reason", "[app][unit]") {
  RepositoryBench bench;
  using State = serving::UnloadedModel::State;
  bench.status.unloaded = {
      {"a", 1, State::kUnloading}, {"b", 2, State::kUnloaded}, {"c", 3, State::kLoading}, {"d", 4, State::kFailed}};
  CHECK(bench.index(nullptr) ==
        R"(200 [{"name":"a","version":"1","state":"UNLOADING","reason":"the model answers its last requests"},)"
        R"({"name":"b","version":"2","state":"UNAVAILABLE","reason":"unloaded"},)"
        R"({"name":"c","version":"3","state":"LOADING","reason":"the model is loading"},)"
        R"({"name":"d","version":"4","state":"UNAVAILABLE","reason":"the last load failed"}])");
  CHECK(bench.index(R"({"ready":true})") == "200 []");
}

TEST_CASE("OipRepository: a long body is refused before it is read", "[app][unit]") {
  RepositoryBench bench;
  IndexExchange exchange(bench.metrics, bench.read);
  CHECK(exchange.body_rule().limit_bytes == 16 * 1024);
  CHECK(exchange.body_rule().first_room_bytes == exchange.body_rule().limit_bytes);
}

}  // namespace
}  // namespace yolod::app::api::oip
