#include "app/api/oip/small_body_exchange.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>

namespace yolod::app::api::oip {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

Outcome<json::object> object_in(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return json::object();
  json::error_code failure;
  const auto value = json::parse(json::string_view(body.data(), body.size()), failure);
  if (failure || !value.is_object()) return Error{ErrorCode::kBadRequest, "failed to parse the request JSON buffer"};
  return value.as_object();
}

http::Exchange::Next SmallBodyExchange::begin(const http::RequestView& request, http::Response& response) {
  if (const auto fits = look_at(request); !fits) return fail(fits.error(), response);
  return request.head.has_body() ? Next::kReadBody : act({}, response);
}

bool SmallBodyExchange::try_room(std::uint64_t bytes) {
  bytes_.resize(bytes);
  room_ = bytes_;
  return true;
}

// The first room of every body is large enough for the whole body, and it never waits.
boost::asio::awaitable<Outcome<void>> SmallBodyExchange::await_room(std::uint64_t /*bytes*/,
                                                                    std::uint64_t /*kept_bytes*/) {
  std::abort();
}

void SmallBodyExchange::drop_room() {
  bytes_.clear();
  room_ = {};
}

http::Exchange::Next SmallBodyExchange::body_came(std::uint64_t bytes, http::Response& response) {
  return act({reinterpret_cast<const char*>(bytes_.data()), bytes}, response);
}

http::Exchange::Next SmallBodyExchange::fail(const Error& error, http::Response& response) {
  refuse(error, response);
  return Next::kRespond;
}

http::Exchange::Next SmallBodyExchange::proceed(http::Response& /*response*/) { std::abort(); }
void SmallBodyExchange::wait(Resume /*done*/) { std::abort(); }

}  // namespace yolod::app::api::oip
