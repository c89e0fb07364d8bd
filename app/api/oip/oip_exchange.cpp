#include "app/api/oip/oip_exchange.hpp"

#include <algorithm>
#include <string>

namespace yolod::app::api::oip {

http::Exchange::Next FixedExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  write_(response);
  return Next::kRespond;
}

http::Exchange::Next AllModelsExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  write_(read_(), metrics(), response);
  return Next::kRespond;
}

http::Exchange::Next OneModelExchange::begin(const http::RequestView& request, http::Response& response) {
  const auto model = find_model(models_, request.captures, unknown_);
  if (model) {
    write_(**model, response);
  } else {
    refuse(model.error(), response);
  }
  return Next::kRespond;
}

common::Outcome<std::shared_ptr<serving::ServedModel>> find_model(const serving::Models& models,
                                                                  const http::Captures& captures,
                                                                  OneModelExchange::Unknown unknown) {
  const std::string_view name = captures.front();
  const std::string_view version = captures.size() > 1 ? captures[1] : std::string_view();
  if (!std::all_of(version.begin(), version.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return common::Error{common::ErrorCode::kNotFound, "a version is a number"};
  }
  auto model = models.find(name);
  if (model == nullptr) return unknown(name, {});
  if (!version.empty() && version != std::to_string(model->generation)) return unknown(name, version);
  return model;
}

}  // namespace yolod::app::api::oip
