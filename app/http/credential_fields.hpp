// Finds the credential of a request in its header fields:
//
//   Authorization: Bearer KEY     other schemes are ignored
//   X-API-Key: KEY                doods-auth-key is the same, for clients of DOODS
//   Cookie: __Host-yolod=SESSION
//
// The query never has a credential, because it ends up in logs and histories. Several fields may have the same
// credential. One thread uses an object, for one request.
#pragma once

#include <string_view>

#include "app/access/credential.hpp"

namespace yolod::app::http {

inline constexpr std::string_view kSessionCookie = "__Host-yolod";

class CredentialFields {
 public:
  void authorization(std::string_view value);
  // The value of a field for which is_key_field() is true.
  void key(std::string_view value) { take(access::Credential::Kind::kKey, value); }
  void cookie(std::string_view value);

  // The token is a view into the values.
  [[nodiscard]] const access::Credential& result() const { return found_; }

 private:
  void take(access::Credential::Kind kind, std::string_view token);

  access::Credential found_;
};

[[nodiscard]] bool is_key_field(std::string_view name);

}  // namespace yolod::app::http
