// A request target's path and query, percent-decoded (RFC 3986). No sockets.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolod::app::http {

// One object reads one target after another, so that it keeps its room. What it hands out is good until the next.
class RequestTarget {
 public:
  using Query = std::vector<std::pair<std::string_view, std::string_view>>;

  // False for what is neither an origin-form nor an http absolute-form target: no leading slash, a host that is not
  // valid, a broken percent escape, a NUL. There is then no path and no query.
  [[nodiscard]] bool parse(std::string_view text);

  [[nodiscard]] std::string_view path() const { return path_; }  // "/predict"
  [[nodiscard]] const Query& query() const { return query_; }    // in order; "k" alone has an empty value

 private:
  [[nodiscard]] bool parse_query(std::string_view text);

  std::string decoded_;
  std::string_view path_;
  Query query_;
};

}  // namespace yolod::app::http
