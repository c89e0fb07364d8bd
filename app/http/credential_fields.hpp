// Finds the credential of a request in its header fields:
//
//   Authorization: Bearer KEY     other schemes are ignored
//   X-API-Key: KEY                doods-auth-key is the same, for clients of DOODS
//   Sec-WebSocket-Protocol: yolod, yolod.key.KEY     a page cannot set another header of a WebSocket
//   Cookie: __Host-yolod=SESSION
//   Cookie: yolod=SESSION         only without TLS: browsers refuse the name above from a site without HTTPS
//
// The query has a credential only on routes whose clients can send it nowhere else (Route::key_in_query), because
// queries end up in the logs of proxies and in histories. Several fields may have the same credential. One thread uses
// an object, for one request.
#pragma once

#include <string_view>

#include "app/access/credential.hpp"
#include "app/http/request_target.hpp"

namespace yolod::app::http {

inline constexpr std::string_view kSessionCookie = "__Host-yolod";
// With TLS the server ignores this cookie, because sites of the same domain and forged answers over HTTP can set it.
inline constexpr std::string_view kPlainSessionCookie = "yolod";

// The subprotocol of WebSockets that the server accepts. The server never accepts kKeySubprotocol, because its
// answer would then have the key.
inline constexpr std::string_view kSubprotocol = "yolod";
inline constexpr std::string_view kKeySubprotocol = "yolod.key.";

class CredentialFields {
 public:
  void authorization(std::string_view value);
  // The value of a field for which is_key_field() is true.
  void key(std::string_view value);
  void cookie(std::string_view value);
  // Reads a list of subprotocols. Returns whether kSubprotocol is among them.
  [[nodiscard]] bool subprotocols(std::string_view value);

  // The token is a view into the values.
  [[nodiscard]] const access::Credential& result() const { return found_; }
  // Returns the session of kPlainSessionCookie.
  [[nodiscard]] const access::Credential& plain_session() const { return plain_session_; }

 private:
  access::Credential found_;
  access::Credential plain_session_;
};

// Returns the credential of a request that came without TLS: `found`, or else the session of the plain cookie. The
// plain cookie beside kSessionCookie is ignored, and beside an API key it is ambiguous.
[[nodiscard]] access::Credential credential_without_tls(const access::Credential& found,
                                                        const access::Credential& plain_session);

// Returns `found`, or the API key of the query's parameter api_key. Several keys that differ are ambiguous.
[[nodiscard]] access::Credential credential_with_query(const access::Credential& found,
                                                       const RequestTarget::Query& query);

[[nodiscard]] bool is_key_field(std::string_view name);

}  // namespace yolod::app::http
