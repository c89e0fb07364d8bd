#include "app/http/head_search.hpp"

#include <boost/beast/http/error.hpp>
#include <string_view>
#include <utility>

namespace yolod::app::http {
namespace {

std::string_view text_of(const boost::beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

}  // namespace

HeadSearch::State HeadSearch::look(boost::beast::flat_buffer& buffer, RequestHeadReader& reader, RequestHead& head) {
  skip_empty_lines(buffer);
  if (buffer.size() == 0) return State::kNothing;
  // The parser would take the first half of an empty line for a method.
  if (!may_be_whole(buffer) || text_of(buffer) == "\r") return State::kUnfinished;
  failure_ = reader.read(buffer.data(), head);
  if (failure_ == boost::beast::http::error::need_more) return State::kUnfinished;
  empty_lines_ = 0;
  return failure_ ? State::kBad : State::kFound;
}

// Old clients send a line break after a body, which is not part of it (RFC 9112, 2.2).
void HeadSearch::skip_empty_lines(boost::beast::flat_buffer& buffer) {
  constexpr unsigned kMost = 4;
  while (empty_lines_ < kMost && text_of(buffer).starts_with("\r\n")) {
    buffer.consume(2);
    looked_at_ = 0;
    ++empty_lines_;
  }
}

// The first look finds most errors. The look at the end of the head finds the others, as would a parser that waits
// for the end.
bool HeadSearch::may_be_whole(const boost::beast::flat_buffer& buffer) {
  const std::string_view text = text_of(buffer);
  const std::size_t looked_at = std::exchange(looked_at_, text.size());
  return looked_at < 4 || text.size() > RequestHeadReader::kLimitBytes ||
         text.find("\r\n\r\n", looked_at - 3) != std::string_view::npos ||
         text.find("\n\n", looked_at - 1) != std::string_view::npos;  // the reader refuses lines that end in LF alone
}

}  // namespace yolod::app::http
