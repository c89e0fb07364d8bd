// Lets a coroutine wait without exceptions: `auto [failure, ...] = co_await operation(..., kAwait)` never throws.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace yolod::common {

inline constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace yolod::common
