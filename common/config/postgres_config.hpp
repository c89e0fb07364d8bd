// Says where the PostgreSQL database with the accounts of people is. A plain value. common/config/schema.hpp reads it.
// Any thread may use a copy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace yolod::common {

struct PostgresConfig {
  std::string database{"yolod"};
  std::string user{"yolod"};
  std::string password;  // read from the file, and never written
  std::filesystem::path password_file;
  std::string host{"localhost"};  // a name, an address, or the folder of a unix socket
  std::uint32_t port{5432};
  std::uint32_t minsize{1};  // the connections that are kept
  std::uint32_t maxsize{5};
  friend bool operator==(const PostgresConfig&, const PostgresConfig&) = default;
};

}  // namespace yolod::common
