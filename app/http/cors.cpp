#include "app/http/cors.hpp"

#include <algorithm>
#include <chrono>

namespace yolod::app::http {

std::string_view allowed_origin(const common::CorsConfig& cors, std::string_view origin) {
  if (origin.empty()) return {};
  const auto has = [&cors](std::string_view wanted) {
    return std::find(cors.origins.begin(), cors.origins.end(), wanted);
  };
  if (const auto every = has(common::kEveryOrigin); every != cors.origins.end()) return *every;
  const auto named = has(origin);
  return named == cors.origins.end() ? std::string_view() : std::string_view(*named);
}

bool is_for_other_sites(const Route& route) {
  switch (route.need) {
    case access::Need::kNothing:
    case access::Need::kModels:
    case access::Need::kPredict:
    case access::Need::kObserve: return true;
    case access::Need::kAnyone:
    case access::Need::kLoad:
    case access::Need::kAdmin:
    case access::Need::kIdentity: return false;
  }
  return false;
}

// An answer to one origin must not be given to another, so Vary goes with every answer.
void append_cors(TextBuffer& out, const common::CorsConfig& cors, std::string_view allowed) {
  if (cors.origins.empty()) return;
  out += "Vary: Origin\r\n";
  if (allowed.empty()) return;
  out += "Access-Control-Allow-Origin: ";
  out += allowed;
  if (cors.credentials) out += "\r\nAccess-Control-Allow-Credentials: true";
  out +=
      "\r\nAccess-Control-Expose-Headers: Allow, Content-Encoding, ETag, Inference-Header-Content-Length, Retry-After, "
      "Server-Timing, WWW-Authenticate, X-Request-Id\r\n";
}

void add_preflight(Response& response, const common::CorsConfig& cors, std::string_view methods) {
  add_field(response, "Access-Control-Allow-Methods", methods);
  add_field(response, "Access-Control-Allow-Headers",
            "Authorization, Content-Encoding, Content-Type, doods-auth-key, If-None-Match, "
            "Inference-Header-Content-Length, X-API-Key, X-Request-Id, X-Request-Timeout");
  response.fields += "Access-Control-Max-Age: ";
  response.fields.add_whole(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(cors.max_age).count()));
  response.fields += "\r\n";
}

}  // namespace yolod::app::http
