#include "app/api/roboflow/registry_exchange.hpp"

#include <string>

#include "app/api/detectors.hpp"

namespace yolod::app::api::roboflow {

http::Exchange::Next RegistryExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  response.start(boost::beast::http::status::ok);
  http::TextBuffer& out = response.body;
  out += R"({"models":[)";
  bool is_first = true;
  const auto append = [&](const std::string& id, const serving::ServedModel& model) {
    out += is_first ? R"({"model_id":)" : R"(,{"model_id":)";
    is_first = false;
    out.add_json(id);
    out += R"(,"task_type":"object-detection","batch_size":1)";
    if (const auto description = model.dispatcher.description()) {  // null while the model loads
      out += R"(,"input_height":)";
      out.add_whole(description->input_height);
      out += R"(,"input_width":)";
      out.add_whole(description->input_width);
    }
    out += '}';
  };
  for (const auto& [name, model] : detectors_of(read_(), models_, config_.aliases)) {
    append(name, *model);
    if (name.find('/') == std::string::npos) append(name + "/1", *model);
  }
  out += "]}";
  return Next::kRespond;
}

}  // namespace yolod::app::api::roboflow
