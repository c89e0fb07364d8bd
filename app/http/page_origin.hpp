// Finds out whether a page of another site made a browser send a request. Such a page can send requests to this server
// under the address of the person who reads it, but it cannot make the browser lie about the page's own origin. The
// functions are pure; any thread may call them.
#pragma once

#include <cstdint>

#include "app/http/request_head.hpp"

namespace yolod::app::http {

enum class PageOrigin : std::uint8_t {
  kNone,     // the client says nothing about a page: it is a program
  kOwn,      // a page of this server
  kForeign,  // a page of another site
};

// Sec-Fetch-Site decides. In browsers that do not send it, Origin must have the same host as Host. A proxy may replace
// the Host, so Origin counts only there.
[[nodiscard]] PageOrigin page_origin_of(const RequestHead& head);

}  // namespace yolod::app::http
