// GET /: the page on which a person tries a model, a photo in and boxes out. Its source is app/api/page/page.html.
#pragma once

#include "app/http/response.hpp"

namespace yolod::app {

// Replaces all of `response`.
void write_page(Response& response);

}  // namespace yolod::app
