#include "app/http/target.hpp"

#include <optional>

namespace yolod::app {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Appended to `out`, which has the room: what was decoded before it stays where it is.
std::optional<std::string_view> percent_decode(std::string_view text, bool plus_is_space, std::string& out) {
  const std::size_t begin = out.size();
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

bool Target::parse(std::string_view text) {
  decoded_.clear();
  path_ = {};
  query_.clear();
  text = text.substr(0, text.find('#'));
  // The absolute form, which a server must take too (RFC 9112, 3.2.2): what it names is us, whatever it calls us.
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with(kScheme)) {
    const auto slash = text.find('/', kScheme.size());
    text = slash == std::string_view::npos ? std::string_view("/") : text.substr(slash);
  }
  if (text.empty() || text.front() != '/') return false;
  decoded_.reserve(text.size());
  const auto question = text.find('?');
  const auto path = percent_decode(text.substr(0, question), false, decoded_);
  if (!path) return false;
  if (question != std::string_view::npos && !parse_query(text.substr(question + 1))) {
    query_.clear();
    return false;
  }
  path_ = *path;
  return true;
}

bool Target::parse_query(std::string_view text) {
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

}  // namespace yolod::app
