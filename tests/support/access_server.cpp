#include "tests/support/access_server.hpp"

#include <openssl/sha.h>

#include <array>
#include <catch2/catch.hpp>

namespace yolod::tests {
namespace {

std::string sha256_hex(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

std::string_view native_code(int status) {
  switch (status) {
    case 401: return "unauthorized";
    case 403: return "forbidden";
    case 429: return "too_many_requests";
    default: return "";
  }
}

}  // namespace

void KeyFile::write(const std::vector<TestKey>& keys) const {
  std::string text = "# name:sha256:scopes:expires\n";
  for (const auto& key : keys) {
    text += key.name + ":" + sha256_hex(key.token);
    if (!key.scopes.empty() || !key.expires.empty()) text += ":" + key.scopes;
    if (!key.expires.empty()) text += ":" + key.expires;
    text += "\n";
  }
  // A server that reads the file now sees the old or the new file.
  const auto next = folder_.write("next", text);
  std::filesystem::permissions(next, std::filesystem::perms(0600));
  std::filesystem::rename(next, path());
}

Headers with_key(const std::string& token) {
  if (token.empty()) return {};
  return {{"Authorization", "Bearer " + token}};
}

void check_refusal(const Answer& answer, int status, std::string_view target, bool has_body) {
  CAPTURE(answer, target);
  CHECK(answer.status == status);
  CHECK(answer.has_header("WWW-Authenticate") == (status == 401));
  CHECK(answer.header("Retry-After") == (status == 429 ? "1" : ""));
  if (!has_body) return;
  const auto value = answer.json();
  REQUIRE(value.is_object());
  const auto& object = value.as_object();
  if (target == "/echo/1" || target.starts_with("/echo/1?") || target.starts_with("/infer/") ||
      target.starts_with("/model/")) {  // Roboflow
    CHECK(object.size() == 1);
    CHECK(object.at("message").is_string());
    return;
  }
  REQUIRE(object.contains("error"));
  if (target == "/detect" || target == "/detectors") {  // DOODS
    CHECK(object.at("error").is_string());
    CHECK(object.at("detections").as_array().empty());
    return;
  }
  if (target == "/v2" || target.starts_with("/v2/")) {
    CHECK(object.size() == 1);
    CHECK(object.at("error").is_string());
  } else if (target.starts_with("/v1/")) {
    CHECK(object.at("success") == false);
    CHECK(object.at("error").is_string());
    CHECK(object.at("code") == status);
  } else {
    CHECK(object.at("success") == false);
    CHECK(answer.error_code() == native_code(status));
  }
}

}  // namespace yolod::tests
