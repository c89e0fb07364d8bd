// Tests the JSON of DOODS' and Roboflow's clients, and the objects that a request of DOODS wants.
#include <string>

#include "app/api/doods/detect_request.hpp"
#include "app/api/roboflow/infer_request.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/fuzz/json_split.hpp"

using namespace yolod;
using app::api::doods::parse_detect_request;
using app::api::roboflow::parse_json;
using fuzz::split_by;

YOLOD_FUZZ_TARGET(clients) {
  const auto body = fuzz::as_text(data, size);
  if (const auto split = split_by(app::api::doods::kPictureRule, body)) {
    app::api::doods::DetectRequest request;
    const auto parsed = parse_detect_request(split->skeleton(), split->values().size(), request);
    if (parsed) {
      fuzz::require(request.data < split->values().size());
      fuzz::require(request.regions.size() <= app::api::doods::kMostRegions);
      const float least = request.least_confidence();
      fuzz::require(least >= 0 && least <= 1);
      const common::Box box{0.25F, 0.25F, 0.5F, 0.5F};
      // A worker returns only objects of at least that confidence.
      if (least > 0) fuzz::require(!request.wants("person", least / 2, box));
    } else {
      fuzz::require(parsed.error().message.find('\n') == std::string::npos);
    }
  }
  if (const auto split = split_by(app::api::roboflow::kPictureRule, body)) {
    std::string key;
    const auto request = parse_json(split->skeleton(), split->values().size(), key);
    if (request) {
      fuzz::require(!request->images.empty() && request->images.size() <= app::api::roboflow::kMostImages);
      for (const auto image : request->images) fuzz::require(image < split->values().size());
      if (request->confidence) fuzz::require(*request->confidence >= 0 && *request->confidence <= 1);
      fuzz::require(request->classes.size() <= app::api::roboflow::kMostClasses);
    } else {
      fuzz::require(request.error().message.find('\n') == std::string::npos);
    }
  }
  return 0;
}
