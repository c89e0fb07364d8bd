#include "app/schedule/suspicion.hpp"

#include "common/log.hpp"

namespace yolod::app::schedule {

bool Suspicion::look_up(Request& request, common::Clock::time_point now) const {
  request.standing = request.hash ? quarantine_.standing(*request.hash, now) : Standing::kUnknown;
  return request.standing != Standing::kQuarantined;
}

void Suspicion::record_blame(Request& request, Blame blame, const std::string& model, common::Clock::time_point now) {
  if (blame == Blame::kNone) return;
  const auto bytes = request.content().size();
  if (blame == Blame::kSuspected) {
    request.standing = quarantine_.suspect(*request.hash, bytes, now);
    return;
  }
  request.standing = quarantine_.strike(*request.hash, bytes, now);
  if (request.standing != Standing::kQuarantined) return;
  metrics_.quarantined();
  common::log_warning(
      "model {}: an image of {} bytes, SHA-256 {}..., is quarantined for {} min: a worker died while it held this "
      "image, and then another worker died while it held only this image",

      model, bytes, short_text(*request.hash), Quarantine::kTerm.count());
}

}  // namespace yolod::app::schedule
