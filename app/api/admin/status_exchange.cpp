#include "app/api/admin/status_exchange.hpp"

#include <string>

namespace yolod::app::api::admin {

namespace beast_http = boost::beast::http;

http::Exchange::Next StatusExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  writer_.emplace(read_());
  response.start(beast_http::status::ok);
  return proceed(response);
}

http::Exchange::Next StatusExchange::proceed(http::Response& response) {
  return writer_->write_some(response.body) ? Next::kRespond : Next::kWriteMore;
}

// The update of the metrics takes one turn of the event loop.
http::Exchange::Next MetricsExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  refresh_();
  response.start(beast_http::status::ok, "text/plain; version=0.0.4");
  return Next::kWriteMore;
}

http::Exchange::Next MetricsExchange::proceed(http::Response& response) {
  if (!text_) {  // this takes another turn of the event loop
    text_.emplace(metrics_);
    return Next::kWriteMore;
  }
  const auto piece = text_->next();
  response.body += piece;
  return text_->is_whole() ? Next::kRespond : Next::kWriteMore;
}

http::Exchange::Next ReadinessExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  bool ready = false;
  const std::string body = readiness_json(read_(), ready);
  http::write_json(response, ready ? beast_http::status::ok : beast_http::status::service_unavailable, body);
  return Next::kRespond;
}

}  // namespace yolod::app::api::admin
