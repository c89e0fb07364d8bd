#include "app/http/multipart.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "app/http/characters.hpp"
#include "common/text.hpp"

namespace yolod::app::http {
namespace {

using common::Error;
using common::ErrorCode;

constexpr std::size_t kMaxPartHeaderBytes = 8192;
constexpr int kMaxParts = 64;
constexpr std::string_view kNotWellFormed = "multipart: the body is not well formed";

// Returns where `wanted` begins in `text`, or npos. The time of glibc's memmem() is linear in the text for all
// bytes. std::string_view::find() instead calls memchr() again for each byte that equals the first byte of `wanted`.
std::size_t find_bytes(std::string_view text, std::string_view wanted) {
  const void* const found = memmem(text.data(), text.size(), wanted.data(), wanted.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

bool is_boundary_character(char c) {
  return is_letter_or_digit(c) || std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

// Removes a value from the front of `rest`, up to the next semicolon. The value may be in quotes.
std::string take_value(std::string_view& rest) {
  if (!rest.starts_with('"')) {
    const auto end = std::min(rest.find(';'), rest.size());
    const auto value = common::trimmed(rest.substr(0, end));
    rest.remove_prefix(end);
    return std::string(value);
  }
  std::string value;
  std::size_t at = 1;
  for (; at < rest.size() && rest[at] != '"'; ++at) {
    if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
    value.push_back(rest[at]);
  }
  rest.remove_prefix(std::min(rest.find(';', at), rest.size()));
  return value;
}

// Returns the value of parameter `name` in `;a=b;c="d"`. Clients omit quotes that RFC 9110 requires: boundaries of
// Java clients contain equals signs, and file names contain spaces and brackets. Beast's param_list stops at these.
std::optional<std::string> parameter(std::string_view parameters, std::string_view name) {
  while (!parameters.empty()) {
    parameters.remove_prefix(1);  // the semicolon
    const auto key_end = std::min(parameters.find_first_of("=;"), parameters.size());
    const auto key = common::trimmed(parameters.substr(0, key_end));
    parameters.remove_prefix(key_end);
    if (!parameters.starts_with('=')) continue;
    parameters.remove_prefix(1);
    parameters.remove_prefix(std::min(parameters.find_first_not_of(" \t"), parameters.size()));
    auto value = take_value(parameters);
    if (equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view parameters_of(std::string_view header_value) {
  const auto semicolon = header_value.find(';');
  return semicolon == std::string_view::npos ? std::string_view{} : header_value.substr(semicolon);
}

}  // namespace

// Reads the name from the Content-Disposition header among a part's headers.
MultipartScanner::PartName MultipartScanner::part_name(std::string_view headers) {
  while (!headers.empty()) {
    const auto end = find_bytes(headers, "\r\n");
    const std::string_view line = headers.substr(0, end);
    headers = end == std::string_view::npos ? std::string_view{} : headers.substr(end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!equal_ignoring_case(line.substr(0, colon), "content-disposition")) continue;
    const auto parameters = parameters_of(line.substr(colon + 1));
    return {parameter(parameters, "name"), parameter(parameters, "filename").has_value()};
  }
  return {};
}

bool is_media_type(std::string_view content_type, std::string_view type) {
  return equal_ignoring_case(common::trimmed(content_type.substr(0, content_type.find(';'))), type);
}

bool is_multipart(std::string_view content_type) { return is_media_type(content_type, "multipart/form-data"); }

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  auto boundary = parameter(parameters_of(content_type), "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70 || boundary->back() == ' ' ||
      !std::all_of(boundary->begin(), boundary->end(), is_boundary_character)) {
    return std::nullopt;
  }
  return boundary;
}

MultipartScanner::MultipartScanner(Content body, std::string_view boundary, const FormRules& rules)
    : text_(reinterpret_cast<const char*>(body.data()), body.size()),
      delimiter_("\r\n--"),
      rules_(rules),
      result_(Error{ErrorCode::kInternal, "multipart: not looked at yet"}) {
  delimiter_ += boundary;
}

std::optional<std::string_view> MultipartScanner::field(std::string_view name) const {
  const auto found =
      std::find_if(found_fields_.begin(), found_fields_.end(), [name](const auto& one) { return one.first == name; });
  return found == found_fields_.end() ? std::nullopt : std::optional(found->second);
}

bool MultipartScanner::step(std::size_t budget_bytes) {
  while (state_ != State::kDone && budget_bytes != 0) work(budget_bytes);
  return state_ == State::kDone;
}

void MultipartScanner::work(std::size_t& budget_bytes) {
  switch (state_) {
    case State::kFirstBoundary: return begin(budget_bytes);
    case State::kAfterBoundary: return after_boundary();
    case State::kPadding: return skip_padding(budget_bytes);
    case State::kHeaders: return read_headers(budget_bytes);
    case State::kLongHeaders:
    case State::kContent: {
      const auto found = find_delimiter(budget_bytes);
      if (found == Search::kAbsent) return end_with(kNotWellFormed);
      if (found == Search::kGoesOn) return;
      if (state_ == State::kContent) keep_part(at_);
      if (state_ != State::kDone) next_part(at_);
      return;
    }
    case State::kDone: return;
  }
}

// The first boundary is at the very start, or after a preamble and a line break.
void MultipartScanner::begin(std::size_t& budget_bytes) {
  const std::string_view dashed = std::string_view(delimiter_).substr(2);
  if (at_ == 0 && text_.starts_with(dashed)) {
    at_ = dashed.size();
    state_ = State::kAfterBoundary;
    return;
  }
  switch (find_delimiter(budget_bytes)) {
    case Search::kFound:
      at_ += delimiter_.size();
      state_ = State::kAfterBoundary;
      return;
    case Search::kAbsent: return refuse("multipart: the boundary is not in the body");
    case Search::kGoesOn: return;
  }
}

// Two dashes end the form.
void MultipartScanner::after_boundary() {
  if (text_.substr(at_).starts_with("--"))
    return end_with("multipart: the form has no part named " + std::string(rules_.name));
  state_ = State::kPadding;
}

// Only white space may stand between a boundary and its line break.
void MultipartScanner::skip_padding(std::size_t& budget_bytes) {
  const std::string_view window = text_.substr(at_, budget_bytes);
  const std::size_t blanks = std::min(window.find_first_not_of(" \t"), window.size());
  at_ += blanks;
  budget_bytes -= blanks;
  if (budget_bytes == 0) return;
  if (!text_.substr(at_).starts_with("\r\n")) return end_with(kNotWellFormed);
  state_ = State::kHeaders;
}

void MultipartScanner::read_headers(std::size_t& budget_bytes) {
  // A part without headers has only an empty line. Its line break is the line break at at_.
  const std::string_view window = text_.substr(at_, kMaxPartHeaderBytes);
  const std::size_t headers_end = find_bytes(window, "\r\n\r\n");
  budget_bytes -= std::min(budget_bytes, std::min(headers_end, window.size()));
  if (headers_end == std::string_view::npos) {
    state_ = State::kLongHeaders;
    return;
  }
  // A part may also end with its headers (RFC 2046, 5.1.1). The next delimiter then begins before the empty line
  // ends.
  const std::size_t next = find_bytes(text_.substr(at_, headers_end + 4 + delimiter_.size() - 1), delimiter_);
  if (next != std::string_view::npos) return next_part(at_ + next);
  const auto part = part_name(text_.substr(at_ + 2, headers_end == 0 ? 0 : headers_end - 2));
  if (refuse_part(part)) return;
  is_wanted_part_ = is_wanted(part);
  const auto field = std::find(rules_.fields.begin(), rules_.fields.end(), part.name.value_or(""));
  field_ = field == rules_.fields.end() ? std::string_view() : *field;
  at_ += headers_end + 4;
  content_ = at_;
  state_ = State::kContent;
}

void MultipartScanner::next_part(std::size_t delimiter_at) {
  if (++part_count_ > kMaxParts)
    return refuse("multipart: the form has more than " + std::to_string(kMaxParts) + " parts");
  at_ = delimiter_at + delimiter_.size();
  state_ = State::kAfterBoundary;
}

void MultipartScanner::refuse(std::string why) {
  result_ = Error{ErrorCode::kBadRequest, std::move(why)};
  state_ = State::kDone;
}

void MultipartScanner::end_with(std::string_view why) {
  if (wanted_.empty()) return refuse(std::string(why));
  result_ = wanted_.front();
  state_ = State::kDone;
}

bool MultipartScanner::is_wanted(const PartName& part) const {
  if (part.name != rules_.name) return false;
  return !rules_.is_lenient || (part.is_file && wanted_.size() < rules_.most_parts);
}

void MultipartScanner::keep_part(std::size_t end) {
  const std::string_view content = text_.substr(content_, end - content_);
  if (is_wanted_part_) wanted_.push_back(std::as_bytes(std::span(content.data(), content.size())));
  if (field_.empty()) return;
  if (content.size() > kLongestField) {
    return refuse("multipart: the part " + std::string(field_) + " is longer than " + std::to_string(kLongestField) +
                  " bytes");
  }
  if (!field(field_)) {
    found_fields_.emplace_back(field_, content);
  } else if (!rules_.is_lenient) {
    refuse("multipart: a second part is named " + std::string(field_));
  }
}

bool MultipartScanner::refuse_part(const PartName& part) {
  if (rules_.is_lenient) return false;
  const std::string name(rules_.name);
  if (part.name == rules_.name) {
    if (wanted_.size() < rules_.most_parts) return false;
    refuse(rules_.most_parts == 1
               ? "multipart: a second part is named " + name + ", but a request may have one picture"
               : "multipart: the form has more than " + std::to_string(rules_.most_parts) + " parts named " + name);
    return true;
  }
  constexpr std::size_t kLongestShown = 40;
  const auto shown = '"' + common::printable(part.name.value_or(""), kLongestShown) + '"';
  if (part.is_file) {
    refuse("multipart: the part " + shown + " is a file, but the file must be in the part named " + name);
    return true;
  }
  return false;
}

MultipartScanner::Search MultipartScanner::find_delimiter(std::size_t& budget_bytes) {
  // A delimiter may begin within the budget and end after it.
  const std::string_view window = text_.substr(at_, budget_bytes + delimiter_.size() - 1);
  const std::size_t found = find_bytes(window, delimiter_);
  const std::size_t looked_at = std::min({found, budget_bytes, window.size()});
  at_ += looked_at;
  budget_bytes -= looked_at;
  if (found != std::string_view::npos) return Search::kFound;
  return at_ + delimiter_.size() > text_.size() ? Search::kAbsent : Search::kGoesOn;
}

common::Outcome<std::span<const std::byte>> find_part(std::span<const std::byte> body, std::string_view boundary,
                                                      std::string_view name) {
  MultipartScanner scanner(body, boundary, {.name = name});
  while (!scanner.step(body.size() + 1)) {
  }
  return scanner.result();
}

}  // namespace yolod::app::http
