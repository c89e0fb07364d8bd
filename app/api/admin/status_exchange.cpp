#include "app/api/admin/status_exchange.hpp"

#include <string>

namespace yolod::app {

namespace http = boost::beast::http;

Exchange::Next StatusExchange::begin(const Question& /*question*/, Response& response) {
  writer_.emplace(read_());
  response.start(http::status::ok);
  return proceed(response);
}

Exchange::Next StatusExchange::proceed(Response& response) {
  return writer_->write_some(response.body) ? Next::kRespond : Next::kWriteMore;
}

// To bring the metrics up to date is the work of one turn.
Exchange::Next MetricsExchange::begin(const Question& /*question*/, Response& response) {
  refresh_();
  response.start(http::status::ok, "text/plain; version=0.0.4");
  return Next::kWriteMore;
}

Exchange::Next MetricsExchange::proceed(Response& response) {
  if (!text_) text_.emplace(metrics_);
  const auto piece = text_->next();
  response.body += piece;
  return text_->is_whole() ? Next::kRespond : Next::kWriteMore;
}

Exchange::Next ReadinessExchange::begin(const Question& /*question*/, Response& response) {
  bool ready = false;
  const std::string body = readiness_json(read_(), ready);
  write_json(response, ready ? http::status::ok : http::status::service_unavailable, body);
  return Next::kRespond;
}

}  // namespace yolod::app
