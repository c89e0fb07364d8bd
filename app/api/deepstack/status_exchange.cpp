#include "app/api/deepstack/status_exchange.hpp"

#include <set>
#include <string>

#include "app/api/deepstack/status_json.hpp"
#include "app/api/detectors.hpp"

namespace yolod::app::api::deepstack {

http::Exchange::Next ListExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  std::set<std::string> names;
  for (const auto& detector : detectors_of(read_(), models_, errors().config.aliases)) names.insert(detector.first);
  write_models(names, response);
  return Next::kRespond;
}

}  // namespace yolod::app::api::deepstack
