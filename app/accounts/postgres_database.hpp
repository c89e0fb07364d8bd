// This is the back end for PostgreSQL, over the C API of libpq. Every call has a time limit, so a server that hangs
// is treated like a server that is gone.
#pragma once

#include <memory>
#include <string>

#include "app/accounts/database.hpp"
#include "app/accounts/protocol/settings.hpp"
#include "common/outcome.hpp"

namespace yolod::app::accounts {

struct PostgresLimits {
  common::milliseconds connect{1000};    // until the connection is ready
  common::milliseconds statement{2000};  // until the server has answered; statement_timeout is three quarters of it
};

// Fails with kSystem if the server is not reachable or refuses the connection. The message never has the password.
[[nodiscard]] common::Outcome<std::unique_ptr<Database>> open_postgres(const protocol::PostgresSettings& settings,
                                                                       const PostgresLimits& limits = {});

}  // namespace yolod::app::accounts
