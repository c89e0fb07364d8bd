// Implements the pages /login, /account and /admin, and the two files that they share. Their sources are in this
// folder. The pages have no person's data; their script asks /api/me and the other routes of app/api/account.
//
// Each function replaces the whole response.
#pragma once

#include "app/http/response.hpp"

namespace yolod::app::api::page {

void write_login_page(http::Response& response);
void write_account_page(http::Response& response);
void write_admin_page(http::Response& response);
void write_people_css(http::Response& response);
void write_people_js(http::Response& response);

}  // namespace yolod::app::api::page
