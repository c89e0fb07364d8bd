// The page at GET /: a photo in, boxes out, by hand.
#pragma once

#include <string_view>

namespace yolod::app {

// Static text for the life of the process. Its source is app/http/page.html.
[[nodiscard]] std::string_view page_html();

}  // namespace yolod::app
