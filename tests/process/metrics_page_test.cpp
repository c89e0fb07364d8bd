// These cases compare docs/metrics.md with a server that has counted something in every family.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/http_client.hpp"
#include "tests/support/prometheus_text.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/support/tls_client.hpp"
#include "tests/support/websocket_client.hpp"
#include "tests/support/websocket_frames.hpp"

namespace yolod::tests {
namespace {

struct Documented {
  std::string type;
  std::set<std::string> labels;
  friend bool operator==(const Documented&, const Documented&) = default;
};

std::ostream& operator<<(std::ostream& stream, const Documented& metric) {
  stream << metric.type;
  for (const auto& label : metric.labels) stream << ' ' << label;
  return stream;
}

using MetricsByName = std::map<std::string, Documented>;

// The rows of the page's table: | `name` | type | `label`, `label` | ...
MetricsByName metrics_of_page() {
  const std::regex row("^\\| `(yolod_[a-z_]+)` \\| ([a-z]+) \\| ([^|]*) \\|.*");
  const std::regex label("`([a-z_]+)`");
  MetricsByName metrics;
  std::istringstream lines(read_file(source_directory() / "docs/metrics.md"));
  for (std::string line; std::getline(lines, line);) {
    std::smatch cells;
    if (!std::regex_match(line, cells, row)) continue;
    Documented metric{cells[2], {}};
    const auto labels = cells[3].str();
    for (std::sregex_iterator found(labels.begin(), labels.end(), label), end; found != end; ++found) {
      metric.labels.insert((*found)[1]);
    }
    metrics.emplace(cells[1], metric);
  }
  return metrics;
}

MetricsByName metrics_of_scrape(const MetricsText& text) {
  MetricsByName metrics;
  for (const auto& [name, family] : text.families) {
    Documented metric{family.type, {}};
    for (const auto& sample : family.samples) {
      for (const auto& [label, value] : sample.labels) {
        if (label != "le") metric.labels.insert(label);
      }
    }
    metrics.emplace(name, metric);
  }
  return metrics;
}

}  // namespace

TEST_CASE("MetricsPage: docs/metrics.md has the names, types and labels of a server's /metrics", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 2, .delay = 20ms, .faults = true}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  CHECK(HttpClient(tls_endpoint(server, tls_client(folder.authority))).get("/healthz").status == 200);
  HttpClient client(server.endpoint());
  CHECK(client.post("/predict", "a body").status == 200);
  CHECK(client.get("/nowhere").status == 404);
  // The body kills a worker, the server replays it, and it kills another.
  CHECK(HttpClient(server.endpoint()).post("/predict", "FAULT:segv").status == 500);
  // The stream gets four pictures at once, and drops those that are neither the first nor the newest.
  WebSocketClient camera(server.endpoint(), "/stream?drop=oldest&max_in_flight=1");
  REQUIRE(camera.status() == 101);
  std::string pictures;
  for (int i = 0; i < 4; ++i) pictures += bytes_of({.payload = "picture"});
  REQUIRE(camera.send(pictures));
  CHECK(wait_until([&] { return camera.next_answer().contains("dropped"); }));
  camera.close();
  REQUIRE(server.wait_until_ready());  // only workers that serve report their sandbox

  const auto text = parse_prometheus_text(client.get("/metrics").body);
  CHECK(text.problems.empty());
  CHECK(text.total("yolod_worker_restarts_total") == 2);
  const auto page = metrics_of_page();
  const auto scraped = metrics_of_scrape(text);
  for (const auto& [name, metric] : scraped) {
    CAPTURE(name);
    REQUIRE(page.contains(name));
    CHECK(page.at(name) == metric);
  }
  for (const auto& [name, metric] : page) {
    CAPTURE(name);
    CHECK(scraped.contains(name));
  }
}

}  // namespace yolod::tests
