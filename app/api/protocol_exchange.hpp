// The bases of the exchanges that need no model, for every protocol.
//
// `Errors` says how the protocol writes an error. It is a small value with
//   void operator()(const common::Error& error, http::Response& response) const;
//
// A connection owns an exchange and uses it on the front-end's only thread.
#pragma once

#include <utility>

#include "app/http/exchange.hpp"
#include "app/observe/metrics.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api {

// Writes the errors of exchanges and counts their answers.
template <typename Errors>
class ProtocolExchange : public http::HeadExchange {
 public:
  // `metrics` outlives this object.
  explicit ProtocolExchange(observe::Metrics& metrics, Errors errors = {})
      : metrics_(metrics), errors_(std::move(errors)) {}

  void refuse(const common::Error& error, http::Response& response) final { errors_(error, response); }
  void answered(int http_status) final { metrics_.answered_without_model(http_status); }

 protected:
  [[nodiscard]] Next fail(const common::Error& error, http::Response& response) {
    refuse(error, response);
    return Next::kRespond;
  }
  [[nodiscard]] observe::Metrics& metrics() { return metrics_; }
  [[nodiscard]] const Errors& errors() const { return errors_; }

 private:
  observe::Metrics& metrics_;
  const Errors errors_;
};

// An exchange whose answer depends on nothing. `write` writes it at once.
template <typename Errors>
class FixedExchange final : public ProtocolExchange<Errors>, public common::Recycled<FixedExchange<Errors>> {
 public:
  using Write = void (*)(http::Response& response);
  FixedExchange(observe::Metrics& metrics, Write write, Errors errors = {})
      : ProtocolExchange<Errors>(metrics, std::move(errors)), write_(write) {}
  [[nodiscard]] http::Exchange::Next begin(const http::RequestView& /*request*/, http::Response& response) override {
    write_(response);
    return http::Exchange::Next::kRespond;
  }

 private:
  const Write write_;
};

}  // namespace yolod::app::api
