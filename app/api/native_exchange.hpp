// The base of the exchanges of yolod's own protocol that need no model. It writes their errors and counts their
// answers.
#pragma once

#include "app/api/native_error.hpp"
#include "app/http/exchange.hpp"
#include "app/observe/metrics.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api {

// A connection owns it and uses it on the front-end's only thread.
class NativeExchange : public http::HeadExchange {
 public:
  // `metrics` outlives this object.
  explicit NativeExchange(observe::Metrics& metrics) : metrics_(metrics) {}

  void refuse(const common::Error& error, http::Response& response) final { write_error(response, error); }
  void answered(int http_status) final { metrics_.answered_without_model(http_status); }

 protected:
  [[nodiscard]] Next fail(const common::Error& error, http::Response& response) {
    refuse(error, response);
    return Next::kRespond;
  }

 private:
  observe::Metrics& metrics_;
};

// An exchange with an answer that `write` writes at once.
class PlainExchange final : public NativeExchange, public common::Recycled<PlainExchange> {
 public:
  using Write = void (*)(http::Response& response);
  PlainExchange(observe::Metrics& metrics, Write write) : NativeExchange(metrics), write_(write) {}
  [[nodiscard]] Next begin(const http::RequestView& /*request*/, http::Response& response) override {
    write_(response);
    return Next::kRespond;
  }

 private:
  const Write write_;
};

}  // namespace yolod::app::api
