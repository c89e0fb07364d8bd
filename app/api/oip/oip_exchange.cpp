#include "app/api/oip/oip_exchange.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace yolod::app::api::oip {

http::Exchange::Next AllModelsExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  write_(read_(), metrics(), response);
  return Next::kRespond;
}

http::Exchange::Next OneModelExchange::begin(const http::RequestView& request, http::Response& response) {
  const auto found = find_model(models_, request.captures, unknown_);
  if (found) {
    write_(*found->model, found->view, response);
  } else {
    refuse(found.error(), response);
  }
  return Next::kRespond;
}

common::Outcome<FoundModel> find_model(const serving::Models& models, const http::Captures& captures,
                                       OneModelExchange::Unknown unknown) {
  const std::string_view name = captures.front();
  const std::string_view version = captures.size() > 1 ? captures[1] : std::string_view();
  if (!std::all_of(version.begin(), version.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return common::Error{common::ErrorCode::kNotFound, "a version is a number"};
  }
  const ViewName view = parse_view_name(name);
  auto model = view.model.empty() ? nullptr : models.find(view.model);
  if (model == nullptr) return models.is_unloaded(view.model) ? unloaded_model(name, version) : unknown(name, {});
  if (view.kind == ViewKind::kRaw && !has_raw_view(*model->config)) return unknown(name, {});
  if (!version.empty() && version != std::to_string(model->generation)) return unknown(name, version);
  return FoundModel{std::move(model), view.kind};
}

}  // namespace yolod::app::api::oip
