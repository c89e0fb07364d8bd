// The bases of the exchanges of yolod's own protocol that need no model.
#pragma once

#include "app/api/native_error.hpp"
#include "app/api/protocol_exchange.hpp"

namespace yolod::app::api {

struct NativeErrors {
  void operator()(const common::Error& error, http::Response& response) const { write_error(response, error); }
};

using NativeExchange = ProtocolExchange<NativeErrors>;

}  // namespace yolod::app::api
