// Decodes the path and the query of a request target (RFC 3986). It needs no socket.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolod::app::http {

// Parses one target after another and reuses its memory. The path and the query are valid until the next parse().
// Only one thread may use an object.
class RequestTarget {
 public:
  using Query = std::vector<std::pair<std::string_view, std::string_view>>;

  // Returns false if the target is neither an origin-form nor an http absolute-form target: it has no leading slash,
  // an invalid host, a broken percent escape or a NUL. The path and the query are then empty.
  [[nodiscard]] bool parse(std::string_view text);

  [[nodiscard]] std::string_view path() const { return path_; }  // "/predict"
  [[nodiscard]] const Query& query() const { return query_; }    // in the order of the target; "k" has an empty value

 private:
  [[nodiscard]] bool parse_query(std::string_view text);

  std::string decoded_;
  std::string_view path_;
  Query query_;
};

}  // namespace yolod::app::http
