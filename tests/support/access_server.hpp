// Helps tests of API keys: it writes files of keys, and checks the answers to refused requests.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/http_client.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

// A line of server.api_keys_file.
struct TestKey {
  std::string name;
  std::string token;
  std::string scopes{};   // empty: models and predict
  std::string expires{};  // a day; empty: never
};

class KeyFile {
 public:
  KeyFile(std::initializer_list<TestKey> keys) { write(keys); }
  explicit KeyFile(const std::vector<TestKey>& keys) { write(keys); }
  // Replaces the file, with mode 0600.
  void write(const std::vector<TestKey>& keys) const;
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "keys"; }
  // Returns the key of the section `server`.
  [[nodiscard]] std::string server_key() const { return "api_keys_file: " + path().string(); }

 private:
  TemporaryDirectory folder_;
};

// Returns the headers of a request with that key; none if it is empty.
[[nodiscard]] Headers with_key(const std::string& token);

// Fails the test if this is not a refusal with that status, in the format of the protocol to which `target` belongs.
void check_refusal(const Answer& answer, int status, std::string_view target, bool has_body = true);

}  // namespace yolod::tests
