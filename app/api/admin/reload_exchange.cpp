#include "app/api/admin/reload_exchange.hpp"

#include <array>
#include <memory>
#include <utility>

#include "app/api/request_values.hpp"

namespace yolod::app::api::admin {

namespace beast_http = boost::beast::http;
using common::ErrorCode;
using common::Outcome;

http::Exchange::Next ReloadExchange::begin(const http::RequestView& request, http::Response& response) {
  static constexpr std::array<std::string_view, 1> kParameters{"model"};
  const auto read = [this](std::string_view name, std::string_view value) -> Outcome<void> {
    if (name != kParameters.front()) return api::unknown_parameter(name, kParameters);
    model_ = value;
    return {};
  };
  if (const auto all = api::read_each_once(request.target, read); !all) return fail(all.error(), response);
  request_id_.assign(request.request_id.data(), request.request_id.size());
  if (request.head.has_body()) return fail({ErrorCode::kBadRequest, "a reload request must not have a body"}, response);
  return Next::kWait;
}

void ReloadExchange::wait(Resume done) {
  // A std::function needs a copyable callable.
  auto resume = std::make_shared<Resume>(std::move(done));
  ask_(model_, {request_id_.data(), request_id_.size()}, [this, resume](const Outcome<void>& result) {
    result_ = result;
    (*resume)();
  });
}

http::Exchange::Next ReloadExchange::proceed(http::Response& response) {
  write_reloaded(response, result_);
  return Next::kRespond;
}

void write_reloaded(http::Response& response, const Outcome<void>& result) {
  if (result) return http::write_json(response, beast_http::status::ok, R"({"success":true})");
  const auto& [code, reason] = result.error();
  if (code != ErrorCode::kBadConfig && code != ErrorCode::kBadModel) return api::write_error(response, result.error());
  api::write_failure(response, beast_http::status::internal_server_error, ErrorCode::kInternal, reason);
}

}  // namespace yolod::app::api::admin
