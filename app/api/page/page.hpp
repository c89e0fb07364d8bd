// GET /: the page on which a person tries a model, a photo in and boxes out. Its source is app/api/page/page.html.
#pragma once

#include "app/http/response.hpp"

namespace yolod::app::api::page {

// Replaces all of `response`.
void write_page(http::Response& response);

}  // namespace yolod::app::api::page
