#include "tests/support/in_flight.hpp"

#include "tests/support/bodies.hpp"

namespace yolod::tests {
namespace {

bool nothing_followed(HttpClient& client, const Answer& answer) {
  if (answer.header("Connection") == "close") return client.wait_for_close() && !client.has_unread_bytes();
  const auto next = client.get("/healthz");
  // A server that stops has closed the connection meanwhile without sending a byte.
  if (!next.answered()) return next.counts_as_not_sent() || next.failure == Failure::kRefused;
  return next.status == 200 && next.body.starts_with(R"({"live":)");
}

}  // namespace

InFlight::InFlight(const Endpoint& endpoint, std::size_t count, std::size_t body_bytes, const std::string& target) {
  pending_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& item = pending_.emplace_back(Pending{HttpClient(endpoint), random_body(body_bytes, i + 1)});
    // If the connection is refused or cut short, reading the answer will report that.
    if (item.client.connect()) {
      item.client.write(serialise({.method = "POST",
                                   .target = target,
                                   .headers = {{"Content-Type", "application/octet-stream"}},
                                   .body = item.body}));
    }
  }
}

std::vector<InFlight::Exchange> InFlight::finish() {
  std::vector<Exchange> exchanges;
  for (auto& item : pending_) {
    Exchange exchange;
    exchange.body = std::move(item.body);
    if (item.client.connected()) {
      exchange.answer = item.client.read_answer();
    } else {
      exchange.answer.failure = Failure::kRefused;
    }
    exchanges.push_back(std::move(exchange));
  }
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    exchanges[i].answered_once =
        exchanges[i].answer.answered() && nothing_followed(pending_[i].client, exchanges[i].answer);
  }
  pending_.clear();
  return exchanges;
}

std::vector<std::string> InFlight::finish_and_list_wrong() {
  std::vector<std::string> wrong;
  for (const auto& exchange : finish()) {
    if (!is_identity_answer(exchange.answer, exchange.body)) {
      wrong.push_back(describe(exchange.answer));
    } else if (!exchange.answered_once) {
      wrong.emplace_back("answered more than once");
    }
  }
  return wrong;
}

}  // namespace yolod::tests
