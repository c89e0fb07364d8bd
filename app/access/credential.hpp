// The secret with which a request says who sends it. app/http/credential_fields finds it in a header.
#pragma once

#include <cstdint>
#include <string_view>

namespace yolod::app::access {

struct Credential {
  enum class Kind : std::uint8_t {
    kNone,
    kKey,      // an API key
    kSession,  // the token of a session, from the cookie
  };
  Kind kind{Kind::kNone};
  // A view into the header. It must not reach a log, an answer or another process.
  std::string_view token{};
  // The request has several credentials that differ. The server refuses it and does not choose one.
  bool is_ambiguous{false};
};

}  // namespace yolod::app::access
