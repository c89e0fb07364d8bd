// Holds the segments of a request's path that match the names in braces of the route's pattern. They are in order.
#pragma once

#include <boost/container/static_vector.hpp>
#include <string_view>

namespace yolod::app::http {

using Captures = boost::container::static_vector<std::string_view, 4>;

}  // namespace yolod::app::http
