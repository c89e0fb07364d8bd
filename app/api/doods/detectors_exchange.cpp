#include "app/api/doods/detectors_exchange.hpp"

#include <algorithm>
#include <string>

#include "app/api/detectors.hpp"

namespace yolod::app::api::doods {

http::Exchange::Next DetectorsExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  auto detectors = detectors_of(read_(), models_, config_.aliases);
  if (auto standard = models_.find({}); standard != nullptr && standard->config->task == common::Task::kDetect) {
    detectors.try_emplace("default", std::move(standard));
  }
  response.start(boost::beast::http::status::ok);
  http::TextBuffer& out = response.body;
  out += R"({"detectors":[)";
  std::size_t labels_left = kMostLabels;
  bool is_first = true;
  for (const auto& [name, model] : detectors) {
    out += is_first ? R"({"name":)" : R"(,{"name":)";
    is_first = false;
    out.add_json(name);
    out += R"(,"type":"yolod","model":)";
    out.add_json(model->config->name);
    out += R"(,"labels":[)";
    const auto description = model->dispatcher.description();  // null while the model loads
    const std::size_t count = description ? std::min(labels_left, description->labels.size()) : 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i != 0) out += ',';
      out.add_json(description->labels[i]);
    }
    labels_left -= count;
    out += R"(],"width":)";
    out.add_whole(description ? description->input_width : 0);
    out += R"(,"height":)";
    out.add_whole(description ? description->input_height : 0);
    out += '}';
  }
  out += "]}";
  return Next::kRespond;
}

}  // namespace yolod::app::api::doods
