#include "app/api/admin/reload_exchange.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "tests/unit/app/api/exchange_driver.hpp"

namespace yolod::app::api::admin {
namespace {

using Next = http::Exchange::Next;
using common::Error;
using common::ErrorCode;

class ReloadBench {
 public:
  boost::asio::io_context io;
  observe::Metrics metrics;
  std::string asked{"nothing"};
  std::function<void(const common::Outcome<void>&)> done;
  AskForReload ask = [this](std::string_view model, std::string_view /*request_id*/,
                            std::function<void(const common::Outcome<void>&)> when_done) {
    asked = model;
    done = std::move(when_done);
  };
  api::ExchangeDriver driver{io, std::make_unique<ReloadExchange>(metrics, ask)};
};

TEST_CASE("ReloadExchange: the exchange waits for the reload and answers how it ended", "[app][unit]") {
  ReloadBench bench;
  REQUIRE(bench.driver.begin("POST /reload?model=a HTTP/1.1\r\nHost: a\r\n") == Next::kWait);
  bench.driver.wait();
  CHECK(bench.asked == "a");
  CHECK_FALSE(bench.driver.resumed);
  SECTION("the reload succeeds") {
    bench.done({});
    bench.driver.finish_wait();
    CHECK(bench.driver.status() == 200);
    CHECK(bench.driver.body() == R"({"success":true})");
  }
  SECTION("the config or a model is wrong, and the admin gets the reason") {
    const auto code = GENERATE(ErrorCode::kBadConfig, ErrorCode::kBadModel);
    bench.done(Error{code, "models[0].cfg: no such file"});
    bench.driver.finish_wait();
    CHECK(bench.driver.status() == 500);
    CHECK(bench.driver.body() ==
          R"({"success":false,"error":{"code":"internal","message":"models[0].cfg: no such file"}})");
  }
  SECTION("the reload fails for another reason") {
    bench.done(Error{ErrorCode::kUnknownModel, "no such model"});
    bench.driver.finish_wait();
    CHECK(bench.driver.status() == 404);
  }
}

TEST_CASE("ReloadExchange: the query may only name a model, and a body is refused", "[app][unit]") {
  ReloadBench bench;
  const auto refused = [&bench](const std::string& head) {
    bench.driver.finish(bench.driver.begin(head));
    return bench.driver.status() == 400;
  };
  for (const auto* query : {"?confidence=0.3", "?model=a&priority=high", "?model=a&model=a", "?Model=a"}) {
    CAPTURE(query);
    CHECK(refused("POST /reload" + std::string(query) + " HTTP/1.1\r\nHost: a\r\n"));
  }
  CHECK(refused("POST /reload HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"));
  CHECK(bench.driver.body().find("a reload request must not have a body") != std::string::npos);
  CHECK(bench.asked == "nothing");
}

TEST_CASE("ReloadExchange: a request without a model reloads all models", "[app][unit]") {
  ReloadBench bench;
  REQUIRE(bench.driver.begin("POST /reload HTTP/1.1\r\nHost: a\r\n") == Next::kWait);
  bench.driver.wait();
  CHECK(bench.asked.empty());
}

}  // namespace
}  // namespace yolod::app::api::admin
