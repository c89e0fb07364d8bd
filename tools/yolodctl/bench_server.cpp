// yolodctl bench server posts images to a running server and measures its answers.
//
// In a closed loop (no --rate) each connection sends its next request when it has received its answer. In an open
// loop (--rate R) request i is due at i / R. A free connection takes the next request, waits until it is due, and
// measures the latency from the due time. Therefore a stalled server is charged for all requests that had to wait, as
// its clients would see it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/progress/progress_bar.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/http_client.hpp"
#include "tools/yolodctl/server_options.hpp"

namespace yolod::tools {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Clock = std::chrono::steady_clock;
using common::Outcome;
using std::chrono::milliseconds;

// This is longer than a server's default deadlines, so that the server times out first.
constexpr milliseconds kAnswerTimeout{60'000};

struct BenchOptions {
  ServerOptions server;
  std::vector<std::string> images;
  std::string model;
  std::string protocol{"predict"};
  std::size_t connections{16};
  double rate{0};  // requests a second; 0: closed loop
  std::string duration{"10s"};
  bool json{false};
};

// Parses "500ms", "10s" or "2m".
std::optional<milliseconds> parse_duration(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value > 0)) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr double kSecond = 1000;
  constexpr double kMinute = 60 * kSecond;
  constexpr double kLongest = 24 * 60 * kMinute;
  const double scale = unit == "ms" ? 1 : unit == "s" ? kSecond : unit == "m" ? kMinute : 0;
  if (scale == 0 || value * scale > kLongest || value * scale < 1) return std::nullopt;
  return milliseconds{std::llround(value * scale)};
}

class Bench {
 public:
  Bench(const BenchOptions& options, milliseconds duration, std::vector<std::string> requests, const ServerPlace& place)
      : options_(options), duration_(duration), requests_(std::move(requests)), ticker_(context_) {
    for (std::size_t i = 0; i < options_.connections; ++i) connections_.emplace_back(context_, place);
    if (options_.rate > 0) {
      planned_ = static_cast<std::size_t>(std::floor(options_.rate * static_cast<double>(duration_.count()) / 1000));
    }
  }

  void run();
  [[nodiscard]] json::object report() const;
  [[nodiscard]] std::string first_failure() const { return first_failure_; }
  [[nodiscard]] bool any_answered_well() const { return !latencies_us_.empty(); }

 private:
  asio::awaitable<void> drive(HttpConnection& connection);
  asio::awaitable<void> show_progress();
  void count(const Outcome<Response>& answer, Clock::duration latency);
  [[nodiscard]] double percentile_ms(double fraction) const;

  const BenchOptions& options_;
  const milliseconds duration_;
  const std::vector<std::string> requests_;
  asio::io_context context_{1};
  asio::steady_timer ticker_;
  std::list<HttpConnection> connections_;  // a list, because connections cannot move
  std::size_t running_{0};

  std::size_t planned_{0};  // open loop: the number of requests to send
  std::size_t next_{0};
  std::size_t begun_{0};
  Clock::time_point begin_;
  Clock::time_point last_answer_;
  std::vector<std::uint32_t> latencies_us_;  // of answers 2xx; run() sorts them
  std::size_t answered_{0};
  std::map<std::string, std::uint64_t> errors_;       // by status, or "connection"
  std::map<std::string, std::uint64_t> retry_after_;  // of answers 503, by the value of that header
  std::string first_failure_;
};

asio::awaitable<void> Bench::drive(HttpConnection& connection) {
  asio::steady_timer timer(context_);
  const auto end = begin_ + duration_;
  for (;;) {
    const std::size_t index = next_;
    auto intended = Clock::now();
    if (options_.rate > 0) {
      if (index >= planned_) break;
      intended = begin_ + std::chrono::duration_cast<Clock::duration>(
                              std::chrono::duration<double>(static_cast<double>(index) / options_.rate));
    }
    ++next_;
    if (intended > Clock::now()) {
      timer.expires_at(intended);
      co_await timer.async_wait(asio::use_awaitable);
    }
    if (Clock::now() >= end) break;
    ++begun_;
    const auto answer = co_await connection.exchange(requests_[index % requests_.size()], kAnswerTimeout);
    count(answer, Clock::now() - intended);
    if (!answer) {
      if (answered_ == 0) break;  // no server is reachable
      // If the server refuses connections, pause before the next attempt.
      constexpr milliseconds kPause{50};
      timer.expires_after(kPause);
      co_await timer.async_wait(asio::use_awaitable);
    }
  }
  if (--running_ == 0) ticker_.cancel();
}

void Bench::count(const Outcome<Response>& answer, Clock::duration latency) {
  last_answer_ = Clock::now();
  if (!answer) {
    ++errors_["connection"];
    if (first_failure_.empty()) first_failure_ = answer.error().message;
    return;
  }
  ++answered_;
  const auto status = answer.value().result_int();
  if (status >= 200 && status < 300) {
    latencies_us_.push_back(
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(latency).count()));
    return;
  }
  ++errors_[std::to_string(status)];
  if (answer.value().result() == boost::beast::http::status::service_unavailable) {
    ++retry_after_[std::string(answer.value()[boost::beast::http::field::retry_after])];
  }
  if (first_failure_.empty()) first_failure_ = std::to_string(status) + " " + answer.value().body();
}

asio::awaitable<void> Bench::show_progress() {
  constexpr milliseconds kTick{200};
  ProgressBar progress;
  while (running_ > 0) {
    const auto elapsed = Clock::now() - begin_;
    const double part =
        std::min(1.0, std::chrono::duration<double>(elapsed) / std::chrono::duration<double>(duration_));
    std::uint64_t failed = 0;
    for (const auto& [status, number] : errors_) failed += number;
    progress.draw(part, std::to_string(answered_) + " answers, " + std::to_string(failed) + " errors");
    ticker_.expires_after(kTick);
    boost::system::error_code cancelled;
    co_await ticker_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
}

void Bench::run() {
  begin_ = last_answer_ = Clock::now();
  running_ = connections_.size();
  for (auto& connection : connections_) asio::co_spawn(context_, drive(connection), asio::detached);
  asio::co_spawn(context_, show_progress(), asio::detached);
  context_.run();
  std::sort(latencies_us_.begin(), latencies_us_.end());
}

double Bench::percentile_ms(double fraction) const {
  if (latencies_us_.empty()) return 0;
  // Returns the smallest latency that at least this fraction of the answers did not exceed.
  const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(latencies_us_.size())));
  return latencies_us_[std::max<std::size_t>(rank, 1) - 1] / 1000.0;
}

json::object Bench::report() const {
  const double seconds = std::chrono::duration<double>(last_answer_ - begin_).count();
  json::object errors;
  for (const auto& [status, number] : errors_) errors[status] = number;
  json::object retry_after;
  for (const auto& [wait, number] : retry_after_) retry_after[wait] = number;
  json::object report{
      {"url", options_.server.url},
      {"protocol", options_.protocol},
      {"connections", options_.connections},
      {"rate", options_.rate > 0 ? json::value(options_.rate) : json::value(nullptr)},
      {"seconds", seconds},
      {"answered", answered_},
      {"succeeded", latencies_us_.size()},
      {"throughput_per_s", seconds > 0 ? static_cast<double>(latencies_us_.size()) / seconds : 0},
      {"latency_ms",
       {{"p50", percentile_ms(0.5)},
        {"p90", percentile_ms(0.9)},
        {"p99", percentile_ms(0.99)},
        {"p99.9", percentile_ms(0.999)},
        {"max", percentile_ms(1)}}},
      {"errors", std::move(errors)},
      {"retry_after", std::move(retry_after)},
  };
  // These requests were due, but no connection was free before the end.
  if (options_.rate > 0) report["not_sent"] = planned_ - begun_;
  return report;
}

void print_report(const json::object& report) {
  const auto number = [](const json::value& value) { return value.to_number<double>(); };
  const auto& latency = report.at("latency_ms").as_object();
  std::printf("answers     %.0f, of them %.0f successful, in %.2f s\n", number(report.at("answered")),
              number(report.at("succeeded")), number(report.at("seconds")));
  std::printf("throughput  %.1f/s\n", number(report.at("throughput_per_s")));
  std::printf("latency ms ");
  for (const auto& entry : latency) {
    std::printf(" %s %.3f", std::string(entry.key()).c_str(), number(entry.value()));
  }
  std::printf("\n");
  if (const auto* not_sent = report.if_contains("not_sent")) {
    std::printf("not sent    %.0f, because no connection was free\n", number(*not_sent));
  }
  for (const auto& entry : report.at("errors").as_object()) {
    std::printf("error %-10s %.0f\n", std::string(entry.key()).c_str(), number(entry.value()));
  }
  for (const auto& entry : report.at("retry_after").as_object()) {
    std::printf("retry after %-4s %.0f\n", std::string(entry.key()).c_str(), number(entry.value()));
  }
}

int run_bench_server(const BenchOptions& options) {
  const auto wrong = [](const std::string& why) {
    std::fprintf(stderr, "yolodctl: %s\n", why.c_str());
    return 2;
  };
  const auto url = parse_server_url(options.server.url);
  if (!url) return wrong("--url: " + url.error().message);
  const auto duration = parse_duration(options.duration);
  if (!duration) return wrong("--duration: '" + options.duration + "': such as 500ms, 10s or 2m are allowed");
  const bool is_oip = options.protocol == "oip";
  if (is_oip && options.model.empty()) return wrong("--protocol oip needs --model: its paths name the model");
  const auto predict = options.model.empty() ? "/predict" : "/predict?model=" + options.model;
  const auto target = is_oip ? "/v2/models/" + options.model + "/infer" : predict;
  // The body of a request of the Open Inference Protocol is then the picture itself.
  const std::string_view more_fields = is_oip ? "Inference-Header-Content-Length: 0\r\n" : "";
  std::vector<std::string> requests;
  for (const auto& image : options.images) {
    std::ifstream stream(image, std::ios::binary);
    const std::string body{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    if (!stream) return wrong("--image: cannot read " + image);
    requests.push_back(format_request("POST", target, url.value(), "application/octet-stream", body, more_fields));
  }
  auto place = resolve(url.value(), options.server.trust);
  if (!place) {
    std::fprintf(stderr, "yolodctl: %s: %s\n", options.server.url.c_str(), place.error().message.c_str());
    return place.error().code == common::ErrorCode::kBadRequest ? 2 : 1;
  }
  Bench bench(options, *duration, std::move(requests), *std::move(place));
  bench.run();
  if (options.json) {
    std::printf("%s\n", json::serialize(bench.report()).c_str());
  } else {
    print_report(bench.report());
  }
  if (!bench.first_failure().empty()) {
    std::fprintf(stderr, "yolodctl: %s: the first error: %s\n", options.server.url.c_str(),
                 bench.first_failure().c_str());
  }
  return bench.any_answered_well() ? 0 : 1;
}

}  // namespace

void add_bench_server(CLI::App& bench, int& exit_code) {
  const auto options = std::make_shared<BenchOptions>();
  auto* command = bench.add_subcommand("server", "Post images to a running server and measure its answers");
  add_server_options(*command, options->server);
  command->add_option("--image", options->images, "what to post; several are taken in turn")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--model", options->model, "the model to ask; the server's default otherwise");
  command->add_option("--protocol", options->protocol, "predict or oip, the Open Inference Protocol")
      ->capture_default_str()
      ->check(CLI::IsMember({"predict", "oip"}));
  command->add_option("--connections", options->connections, "how many at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  command->add_option("--rate", options->rate, "open loop: requests a second, sent on time whatever the answers do")
      ->check(CLI::Range(0.001, 1e6));
  command->add_option("--duration", options->duration, "such as 500ms, 10s, 2m")->capture_default_str();
  command->add_flag("--json", options->json, "the result as JSON, on one line");
  command->callback([options, &exit_code] { exit_code = run_bench_server(*options); });
}

}  // namespace yolod::tools
