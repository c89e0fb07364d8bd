#include "app/schedule/suspicion.hpp"

#include <catch2/catch.hpp>
#include <span>
#include <string>

namespace yolod::app::schedule {
namespace {

const common::Clock::time_point kAnHour{std::chrono::hours(1)};

struct Bench {
  // Tells whether the metric has counted this many quarantines.
  bool counted(double count) {
    for (const auto& family : metrics.collect()) {
      if (family.name == "yolod_quarantined_total") return family.metric.at(0).counter.value == count;
    }
    return false;
  }

  observe::Metrics metrics;
  observe::ModelMetrics model_metrics{metrics, "echo"};
  Suspicion suspicion{model_metrics};
};

struct Body {
  explicit Body(std::string bytes) : text(std::move(bytes)) {
    request.job.content = std::as_bytes(std::span(text));
    BodyHasher hasher;
    hasher.add(request.content());
    request.hash = hasher.finish();
  }
  std::string text;
  Request request;
};

TEST_CASE("Suspicion: only a body with the length of a known body is hashed, and only once", "[app][unit]") {
  Bench bench;
  Body body("picture");
  Request unhashed;
  unhashed.job.content = body.request.content();
  CHECK_FALSE(bench.suspicion.must_be_hashed(unhashed));
  bench.suspicion.record_blame(body.request, Blame::kSuspected, "echo", kAnHour);
  CHECK(bench.suspicion.must_be_hashed(unhashed));
  CHECK_FALSE(bench.suspicion.must_be_hashed(body.request));
  Request longer;
  const std::string other = "picture and more";
  longer.job.content = std::as_bytes(std::span(other));
  CHECK_FALSE(bench.suspicion.must_be_hashed(longer));
}

TEST_CASE("Suspicion: no blame changes nothing", "[app][unit]") {
  Bench bench;
  Body body("picture");
  bench.suspicion.record_blame(body.request, Blame::kNone, "echo", kAnHour);
  CHECK(bench.suspicion.look_up(body.request, kAnHour));
  CHECK(body.request.standing == Standing::kUnknown);
}

TEST_CASE("Suspicion: a suspect may reach a worker, and an answer clears it", "[app][unit]") {
  Bench bench;
  Body body("picture");
  bench.suspicion.record_blame(body.request, Blame::kSuspected, "echo", kAnHour);
  CHECK(bench.suspicion.look_up(body.request, kAnHour));
  CHECK(body.request.runs_alone());
  bench.suspicion.answered(body.request);
  CHECK(bench.suspicion.look_up(body.request, kAnHour));
  CHECK_FALSE(body.request.runs_alone());
}

TEST_CASE("Suspicion: a body with two strikes is quarantined for its term, and counted", "[app][unit]") {
  Bench bench;
  Body body("picture");
  bench.suspicion.record_blame(body.request, Blame::kStruck, "echo", kAnHour);
  CHECK(bench.counted(0));
  bench.suspicion.record_blame(body.request, Blame::kStruck, "echo", kAnHour);
  CHECK(bench.counted(1));
  CHECK_FALSE(bench.suspicion.look_up(body.request, kAnHour));
  SECTION("the term ends") {
    bench.suspicion.release(kAnHour + Quarantine::kTerm);
    CHECK(bench.suspicion.look_up(body.request, kAnHour + Quarantine::kTerm));
  }
  SECTION("a reload forgets the body") {
    bench.suspicion.clear();
    CHECK(bench.suspicion.look_up(body.request, kAnHour));
  }
}

}  // namespace
}  // namespace yolod::app::schedule
