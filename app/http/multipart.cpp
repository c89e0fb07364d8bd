#include "app/http/multipart.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "common/text.hpp"

namespace yolod::app {
namespace {

using common::Error;
using common::ErrorCode;

bool same_token(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

constexpr std::size_t kMaxPartHeaderBytes = 8192;
constexpr int kMaxParts = 64;

bool is_boundary_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

// The value of parameter `name` in `;a=b;c="d"`: Beast's param_list reads exactly that form.
std::optional<std::string> parameter(std::string_view parameters, std::string_view name) {
  for (const auto& entry : boost::beast::http::param_list({parameters.data(), parameters.size()})) {
    if (same_token(std::string_view(entry.first), name)) return std::string(entry.second);
  }
  return std::nullopt;
}

std::string_view parameters_of(std::string_view header_value) {
  const auto semicolon = header_value.find(';');
  return semicolon == std::string_view::npos ? std::string_view{} : header_value.substr(semicolon);
}

// The `name` of the Content-Disposition header among a part's headers.
std::optional<std::string> part_name(std::string_view headers) {
  while (!headers.empty()) {
    const auto end = headers.find("\r\n");
    const std::string_view line = headers.substr(0, end);
    headers = end == std::string_view::npos ? std::string_view{} : headers.substr(end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!same_token(line.substr(0, colon), "content-disposition")) continue;
    return parameter(parameters_of(line.substr(colon + 1)), "name");
  }
  return std::nullopt;
}

}  // namespace

bool is_multipart(std::string_view content_type) {
  return same_token(common::trimmed(content_type.substr(0, content_type.find(';'))), "multipart/form-data");
}

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  auto boundary = parameter(parameters_of(content_type), "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70 || boundary->back() == ' ' ||
      !std::all_of(boundary->begin(), boundary->end(), is_boundary_character)) {
    return std::nullopt;
  }
  return boundary;
}

common::Outcome<std::span<const std::byte>> find_part(std::span<const std::byte> body, std::string_view boundary,
                                                      std::string_view name) {
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  const std::string dashed = "--" + std::string(boundary);
  const std::string delimiter = "\r\n" + dashed;

  // The first boundary stands at the very start, or after a preamble and a line break.
  std::size_t at = text.starts_with(dashed) ? 0 : text.find(delimiter);
  if (at == std::string_view::npos) return Error{ErrorCode::kBadRequest, "multipart: the boundary is not in the body"};
  at += at == 0 && text.starts_with(dashed) ? dashed.size() : delimiter.size();

  for (int part = 0; part < kMaxParts; ++part) {
    if (text.substr(at).starts_with("--")) {
      return Error{ErrorCode::kBadRequest, "multipart: no part named " + std::string(name)};
    }
    const std::size_t line_end = text.find("\r\n", at);
    if (line_end == std::string_view::npos) break;
    const std::string_view padding = text.substr(at, line_end - at);
    if (padding.find_first_not_of(" \t") != std::string_view::npos) break;
    // A part without headers is its empty line alone, whose line break is the one just found.
    const std::size_t headers_end = text.substr(line_end, kMaxPartHeaderBytes).find("\r\n\r\n");
    // A part may also end with its headers (RFC 2046, 5.1.1): the next delimiter then comes before any empty line.
    const std::size_t next = text.find(delimiter, line_end);
    if (next != std::string_view::npos &&
        (headers_end == std::string_view::npos || next < line_end + headers_end + 4)) {
      at = next + delimiter.size();
      continue;
    }
    if (headers_end == std::string_view::npos) break;
    const std::string_view headers = text.substr(line_end + 2, headers_end == 0 ? 0 : headers_end - 2);
    const std::size_t content = line_end + headers_end + 4;
    const std::size_t content_end = text.find(delimiter, content);
    if (content_end == std::string_view::npos) break;
    if (part_name(headers) == name) return body.subspan(content, content_end - content);
    at = content_end + delimiter.size();
  }
  return Error{ErrorCode::kBadRequest, "multipart: the body is not well formed"};
}

}  // namespace yolod::app
