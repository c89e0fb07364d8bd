#include "app/http/credential_fields.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "app/http/request_head.hpp"

namespace yolod::app::http {
namespace {

using Kind = access::Credential::Kind;

// Reads the credential of a head with these header lines.
struct Read {
  explicit Read(const std::string& fields) : text("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n") {
    REQUIRE_FALSE(reader.read(boost::asio::buffer(text), head));
  }
  std::string text;
  RequestHeadReader reader;
  RequestHead head;
};

TEST_CASE("Credential: each field that may have a key is read", "[app][access][unit]") {
  for (const std::string field : {"Authorization: Bearer yld_1", "authorization: bEARER   yld_1  ", "X-API-Key: yld_1",
                                  "x-api-key:yld_1", "doods-auth-key: yld_1"}) {
    CAPTURE(field);
    const Read read(field + "\r\n");
    CHECK(read.head.credential.kind == Kind::kKey);
    CHECK(read.head.credential.token == "yld_1");
    CHECK_FALSE(read.head.credential.is_ambiguous);
  }
}

TEST_CASE("Credential: the query's api_key is a key on routes that allow it", "[app][access][unit]") {
  const RequestTarget::Query query{{"confidence", "0.4"}, {"api_key", "yld_1"}, {"key", "x"}};
  CHECK(credential_with_query({}, query).token == "yld_1");
  CHECK(credential_with_query({Kind::kKey, "yld_1"}, query).token == "yld_1");
  CHECK_FALSE(credential_with_query({Kind::kKey, "yld_1"}, query).is_ambiguous);
  CHECK(credential_with_query({Kind::kKey, "yld_2"}, query).is_ambiguous);
  CHECK(credential_with_query({Kind::kSession, "yld_1"}, query).is_ambiguous);
  CHECK(credential_with_query({}, {{"api_key", ""}}).kind == Kind::kNone);
  CHECK(credential_with_query({}, {{"api_key", "a"}, {"api_key", "b"}}).is_ambiguous);
}

TEST_CASE("Credential: the key of a page's WebSocket is the name of a subprotocol", "[app][access][unit]") {
  for (const std::string list : {"yolod, yolod.key.yld_1", "yolod.key.yld_1,yolod", " yolod.key.yld_1 , x, yolod"}) {
    CAPTURE(list);
    const Read read("Sec-WebSocket-Protocol: " + list + "\r\n");
    CHECK(read.head.credential.kind == Kind::kKey);
    CHECK(read.head.credential.token == "yld_1");
    CHECK(read.head.offers_subprotocol);
  }
  const Read other("Sec-WebSocket-Protocol: chat, yolod.keys\r\n");
  CHECK(other.head.credential.kind == Kind::kNone);
  CHECK_FALSE(other.head.offers_subprotocol);
  CHECK(Read("Sec-WebSocket-Protocol: yolod.key.a\r\nX-API-Key: b\r\n").head.credential.is_ambiguous);
}

TEST_CASE("Credential: the session is found among other cookies", "[app][access][unit]") {
  for (const std::string cookie :
       {"__Host-yolod=tok", "a=b; __Host-yolod=tok; c=d", "a=b;__Host-yolod=tok", "__Host-yolod=tok;"}) {
    CAPTURE(cookie);
    const Read read("Cookie: " + cookie + "\r\n");
    CHECK(read.head.credential.kind == Kind::kSession);
    CHECK(read.head.credential.token == "tok");
  }
}

TEST_CASE("Credential: the cookie without HTTPS counts only without TLS", "[app][access][unit]") {
  const Read plain("Cookie: a=b; yolod=tok\r\n");
  CHECK(plain.head.credential.kind == Kind::kNone);
  CHECK(plain.head.plain_session.kind == Kind::kSession);
  CHECK(credential_without_tls(plain.head.credential, plain.head.plain_session).token == "tok");
  // A key, or the same cookie with another session, is ambiguous.
  for (const std::string field : {"X-API-Key: tok", "Cookie: yolod=other"}) {
    CAPTURE(field);
    const Read both("Cookie: yolod=tok\r\n" + field + "\r\n");
    CHECK(credential_without_tls(both.head.credential, both.head.plain_session).is_ambiguous);
  }
  // A browser sends both cookies if it has used the server with and without HTTPS.
  for (const std::string cookies : {"Cookie: yolod=old; __Host-yolod=tok", "Cookie: __Host-yolod=tok; yolod=old",
                                    "Cookie: yolod=old; yolod=older; __Host-yolod=tok"}) {
    CAPTURE(cookies);
    const Read two(cookies + "\r\n");
    const auto chosen = credential_without_tls(two.head.credential, two.head.plain_session);
    CHECK_FALSE(chosen.is_ambiguous);
    CHECK(chosen.token == "tok");
  }
  const Read none("X-API-Key: k\r\n");
  CHECK(credential_without_tls(none.head.credential, none.head.plain_session).token == "k");
}

TEST_CASE("Credential: other schemes, names and the query are ignored", "[app][access][unit]") {
  for (const std::string field :
       {"Authorization: Basic eW9sb2Q6eW9sb2Q=", "Authorization: Bearer", "Authorization: Bearer ",
        "Authorization: Bearerx y", "X-API-Key:", "Cookie: yolod=tok", "Cookie: __Host-yolodx=tok",
        "Cookie: x__Host-yolod=tok", "Cookie: __Host-yolod=", "Cookie: __host-yolod=tok", "Cookie: ;;=;",
        "X-Token: yld_1"}) {
    CAPTURE(field);
    CHECK(Read(field + "\r\n").head.credential.kind == Kind::kNone);
  }
  std::string text = "GET /?api_key=yld_1&key=yld_1 HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestHeadReader reader;
  RequestHead head;
  REQUIRE_FALSE(reader.read(boost::asio::buffer(text), head));
  CHECK(head.credential.kind == Kind::kNone);
}

TEST_CASE("Credential: the same key in several fields counts once", "[app][access][unit]") {
  const Read read("Authorization: Bearer k\r\nX-API-Key: k\r\ndoods-auth-key: k\r\nX-API-Key: k\r\n");
  CHECK(read.head.credential.token == "k");
  CHECK_FALSE(read.head.credential.is_ambiguous);
}

TEST_CASE("Credential: different credentials are ambiguous", "[app][access][unit]") {
  for (const std::string fields :
       {"Authorization: Bearer k\r\nX-API-Key: l\r\n", "X-API-Key: k\r\nX-API-Key: l\r\n",
        "Authorization: Bearer k\r\nAuthorization: Bearer l\r\n", "X-API-Key: k\r\nCookie: __Host-yolod=k\r\n",
        "Cookie: __Host-yolod=k; __Host-yolod=l\r\n", "Cookie: __Host-yolod=k\r\nCookie: __Host-yolod=l\r\n"}) {
    CAPTURE(fields);
    CHECK(Read(fields).head.credential.is_ambiguous);
  }
}

TEST_CASE("Credential: the next head has no credential of the head before", "[app][access][unit]") {
  const std::string with = "GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\n\r\n";
  const std::string without = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestHeadReader reader;
  RequestHead head;
  REQUIRE_FALSE(reader.read(boost::asio::buffer(with), head));
  REQUIRE_FALSE(reader.read(boost::asio::buffer(without), head));
  CHECK(head.credential.kind == Kind::kNone);
}

}  // namespace
}  // namespace yolod::app::http
