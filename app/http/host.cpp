#include "app/http/host.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "app/http/characters.hpp"

namespace yolod::app::http {
namespace {

// Has the unreserved characters and the sub-delims of RFC 3986.
constexpr CharacterSet kNameCharacters("-._~!$&'()*+,;=");

bool is_registered_name(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kNameCharacters.contains(text[i])) continue;
    if (text[i] != '%' || text.size() - i < 3 || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) return false;
    i += 2;
  }
  return !text.empty();
}

// Checks the text between the brackets of an IP literal.
bool is_ip_literal(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V')) {
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) return false;
    const auto version = text.substr(1, dot - 1);
    const auto address = text.substr(dot + 1);
    return !version.empty() && std::all_of(version.begin(), version.end(), [](char c) { return hex_digit(c) >= 0; }) &&
           !address.empty() &&
           std::all_of(address.begin(), address.end(), [](char c) { return c == ':' || kNameCharacters.contains(c); });
  }
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr address{};
  return inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

}  // namespace

bool is_host_and_port(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos || !is_ip_literal(text.substr(1, end - 1))) return false;
    port = text.substr(end + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    if (!is_registered_name(text.substr(0, colon))) return false;
    port = text.substr(colon);
  }
  if (port.empty()) return true;
  return port.front() == ':' && std::all_of(port.begin() + 1, port.end(), is_digit);
}

}  // namespace yolod::app::http
