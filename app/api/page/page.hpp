// Implements GET /. A person can try a model with a photo on this page. Its source is app/api/page/page.html.
#pragma once

#include "app/http/response.hpp"

namespace yolod::app::api::page {

// Replaces the whole response.
void write_page(http::Response& response);

}  // namespace yolod::app::api::page
