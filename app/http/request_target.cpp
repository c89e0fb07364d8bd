#include "app/http/request_target.hpp"

#include <algorithm>
#include <optional>

#include "app/http/characters.hpp"
#include "app/http/host.hpp"

namespace yolod::app::http {
namespace {

// Appends the decoded text to `out` and returns it. `out` must have enough capacity, because earlier results point
// into it.
std::optional<std::string_view> percent_decode(std::string_view text, bool plus_is_space, std::string& out) {
  const std::size_t begin = out.size();
  if (text.find('%') == std::string_view::npos && text.find('\0') == std::string_view::npos && !plus_is_space) {
    out += text;  // most paths have nothing to decode
    return std::string_view(out).substr(begin);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  return std::string_view(out).substr(begin);
}

}  // namespace

bool RequestTarget::parse(std::string_view text) {
  decoded_.clear();
  path_ = {};
  query_.clear();
  if (text.find('#') != std::string_view::npos) return false;  // a client must not send a fragment (RFC 9110, 4.2.5)
  // A server must accept the absolute form too (RFC 9112, 3.2.2). This server ignores the host in it.
  constexpr std::string_view kScheme = "http://";
  const bool absolute = equal_ignoring_case({text.data(), std::min(text.size(), kScheme.size())}, "http://");
  if (absolute) {
    text.remove_prefix(kScheme.size());
    const auto authority_end = std::min(text.find_first_of("/?"), text.size());
    if (!is_host_and_port(text.substr(0, authority_end))) return false;
    text.remove_prefix(authority_end);
  }
  const auto question = text.find('?');
  std::string_view raw_path = text.substr(0, question);
  if (absolute && raw_path.empty()) raw_path = "/";
  if (!raw_path.starts_with('/')) return false;
  decoded_.reserve(raw_path.size() + text.size());
  const auto path = percent_decode(raw_path, false, decoded_);
  if (!path) return false;
  if (question != std::string_view::npos && !parse_query(text.substr(question + 1))) {
    query_.clear();
    return false;
  }
  path_ = *path;
  return true;
}

bool RequestTarget::parse_query(std::string_view text) {
  while (!text.empty()) {
    const auto ampersand = text.find('&');
    const std::string_view pair = text.substr(0, ampersand);
    text = ampersand == std::string_view::npos ? std::string_view{} : text.substr(ampersand + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), true, decoded_);
    const auto value =
        percent_decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true, decoded_);
    if (!name || !value) return false;
    query_.emplace_back(*name, *value);
  }
  return true;
}

}  // namespace yolod::app::http
