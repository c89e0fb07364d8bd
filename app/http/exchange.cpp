#include "app/http/exchange.hpp"

#include <cstdlib>

#include "app/http/audience.hpp"
#include "app/http/conversation.hpp"

namespace yolod::app::http {

bool RequestView::may_administer() const {
  return caller.kind == access::Caller::Kind::kOperator || (config != nullptr && !is_admin_alone(*config));
}

std::unique_ptr<Conversation> Exchange::take_conversation() { std::abort(); }

// No connection calls these functions, because begin() asked for neither a body nor a wait.
Exchange::Next HeadExchange::proceed(Response& /*response*/) { std::abort(); }
void HeadExchange::wait(Resume /*done*/) { std::abort(); }
Exchange::BodyRule HeadExchange::body_rule() const { std::abort(); }
bool HeadExchange::try_room(std::uint64_t /*bytes*/) { std::abort(); }
boost::asio::awaitable<common::Outcome<void>> HeadExchange::await_room(std::uint64_t /*bytes*/,
                                                                       std::uint64_t /*kept_bytes*/) {
  std::abort();
}
Exchange::Next HeadExchange::body_came(std::uint64_t /*bytes*/, Response& /*response*/) { std::abort(); }

}  // namespace yolod::app::http
