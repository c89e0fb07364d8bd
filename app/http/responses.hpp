// What goes back to a client, as values: built here, completed and written by the session.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>
#include <string_view>

#include "app/schedule/request.hpp"
#include "common/error.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

using Response = boost::beast::http::response<boost::beast::http::string_body>;

[[nodiscard]] Response make_json(boost::beast::http::status status, std::string body);
// {"success":false,"error":{...}}, with Retry-After where the contract has it.
[[nodiscard]] Response make_error(const common::Error& error, std::uint32_t retry_after_seconds = 1);
// Of POST /reload: whoever may ask for one is told the reason as it is.
[[nodiscard]] Response make_reloaded(const common::Outcome<void>& result);
// A prediction, with Server-Timing: JSON, or the file that it is. `total_us` runs from the request's first byte to now.
[[nodiscard]] Response make_prediction(std::string_view model, const Answer& answer, std::uint32_t total_us);

}  // namespace yolod::app
