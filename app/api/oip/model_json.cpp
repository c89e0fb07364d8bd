#include "app/api/oip/model_json.hpp"

#include <optional>

#include "app/api/oip/model_view.hpp"
#include "app/api/oip/oip_error.hpp"
#include "app/api/oip/statistics_json.hpp"
#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

namespace beast_http = boost::beast::http;

void append_numbers(http::TextBuffer& out, bool has_batch, const std::vector<std::int64_t>& dims) {
  out += '[';
  if (has_batch) out += "-1";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (has_batch || i != 0) out += ',';
    if (dims[i] < 0) out += '-';
    out.add_whole(static_cast<std::uint64_t>(dims[i] < 0 ? -dims[i] : dims[i]));
  }
  out += ']';
}

void append_metadata(http::TextBuffer& out, const ModelView& view, const std::vector<TensorView>& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (i != 0) out += ',';
    out += R"({"name":)";
    out.add_json(tensors[i].name);
    out += R"(,"datatype":")";
    out += to_string(tensors[i].type);
    out += R"(","shape":)";
    append_numbers(out, view.max_batch_size != 0, tensors[i].dims);
    out += '}';
  }
}

void append_config(http::TextBuffer& out, const std::vector<TensorView>& tensors, bool are_inputs,
                   bool is_nchw = false) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (i != 0) out += ',';
    out += R"({"name":)";
    out.add_json(tensors[i].name);
    out += R"(,"data_type":")";
    out += config_name(tensors[i].type);
    out += are_inputs ? std::string_view(is_nchw ? R"(","format":"FORMAT_NCHW","dims":)"
                                                 : R"(","format":"FORMAT_NONE","dims":)")
                      : std::string_view(R"(","dims":)");
    append_numbers(out, false, tensors[i].dims);
    out += '}';
  }
}

void append_name(http::TextBuffer& out, const serving::ServedModel& model, ViewKind kind) {
  out.add_json(kind == ViewKind::kRaw ? model.config->name + ":raw" : model.config->name);
}

// Begins an answer with the model's name. Writes an error and returns nothing if no worker has described the model yet.
std::optional<ModelView> begin_description(const serving::ServedModel& model, ViewKind kind, http::Response& response) {
  if (model.dispatcher.description() == nullptr) {
    write_error(response, {common::ErrorCode::kNotReady, "the model '" + model.config->name + "' is still loading"});
    return std::nullopt;
  }
  response.start(beast_http::status::ok);
  response.body += R"({"name":)";
  append_name(response.body, model, kind);
  return view_of(*model.config, *model.dispatcher.description(), kind);
}

}  // namespace

void write_metadata(const serving::ServedModel& model, ViewKind view, http::Response& response) {
  const auto shown = begin_description(model, view, response);
  if (!shown) return;
  http::TextBuffer& out = response.body;
  out += R"(,"versions":[")";
  out.add_whole(model.generation);
  out += R"("],"platform":")";
  out += shown->platform;
  out += R"(","inputs":[)";
  append_metadata(out, *shown, shown->inputs);
  out += R"(],"outputs":[)";
  append_metadata(out, *shown, shown->outputs);
  out += "]}";
}

void write_config(const serving::ServedModel& model, ViewKind view, http::Response& response) {
  const auto shown = begin_description(model, view, response);
  if (!shown) return;
  http::TextBuffer& out = response.body;
  out += R"(,"platform":")";
  out += shown->platform;
  out += R"(","backend":"","max_batch_size":)";
  out.add_whole(shown->max_batch_size);
  out += R"(,"input":[)";
  append_config(out, shown->inputs, true, shown->is_raw);
  out += R"(],"output":[)";
  append_config(out, shown->outputs, false);
  out += R"(],"parameters":{)";
  if (view == ViewKind::kRaw) {
    out += R"("metadata":{"string_value":)";
    out.add_json(common::as_utf8(raw_metadata(*model.config, *model.dispatcher.description())));
    out += '}';
  }
  out += "}}";
}

void write_model_ready(const serving::ServedModel& model, ViewKind view, http::Response& response) {
  const bool ready = model.dispatcher.serves();
  response.start(ready ? beast_http::status::ok : beast_http::status::service_unavailable);
  response.body += R"({"name":)";
  append_name(response.body, model, view);
  response.body += R"(,"ready":)";
  response.body += ready ? std::string_view("true}") : std::string_view("false}");
}

void write_statistics(const serving::ServedModel& model, ViewKind /*view*/, http::Response& response) {
  response.start(beast_http::status::ok);
  response.body += R"({"model_stats":[)";
  append_statistics(response.body, model.config->name, model.generation, model.metrics.statistics());
  response.body += "]}";
}

common::Error no_statistics(std::string_view name, std::string_view version) {
  constexpr std::size_t kLongestShown = 200;
  std::string text = "requested model '" + common::printable(name, kLongestShown) + "'";
  if (!version.empty()) text.append(" version ").append(common::printable(version, kLongestShown));
  return {common::ErrorCode::kBadRequest, text + " is not available"};
}

}  // namespace yolod::app::api::oip
