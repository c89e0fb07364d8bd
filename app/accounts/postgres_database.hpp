// PostgreSQL, by libpq's C API. Nothing waits longer than it may: a server that hangs is as good as one that is gone.
#pragma once

#include <memory>
#include <string>

#include "app/accounts/database.hpp"
#include "app/accounts/protocol/settings.hpp"
#include "common/outcome.hpp"

namespace yolod::app::accounts {

struct PostgresLimits {
  common::milliseconds connect{1000};    // until the server has let us in
  common::milliseconds statement{2000};  // until it has answered; it is told three quarters of that (statement_timeout)
};

// kSystem where the server cannot be reached or refuses us; the message never holds the password.
[[nodiscard]] common::Outcome<std::unique_ptr<Database>> open_postgres(const protocol::PostgresSettings& settings,
                                                                       const PostgresLimits& limits = {});

}  // namespace yolod::app::accounts
