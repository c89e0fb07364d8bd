// Makes clients that speak TLS, and the files of a server that speaks TLS.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/certificates.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

// Makes a context for clients that trust `authority`, at 127.0.0.1. Such a client shows the certificate `own` if there
// is one. The function makes the process ignore SIGPIPE, because OpenSSL writes with write(). Throws std::runtime_error
// if OpenSSL fails.
[[nodiscard]] std::shared_ptr<ssl_ctx_st> tls_client(const Certificate& authority, const Certificate* own = nullptr);

// An authority, and a server's certificate and key that it has signed, in a folder.
class TlsFolder {
 public:
  // With `asks_clients` the server asks for a certificate of `authority`.
  explicit TlsFolder(bool asks_clients = false);

  // Replaces the certificate and the key as a renewal does: each file at once, the certificate first.
  void renew(const Certificate& own) const;

  [[nodiscard]] std::filesystem::path certificate() const { return directory_.path() / "cert.pem"; }
  [[nodiscard]] std::filesystem::path key() const { return directory_.path() / "key.pem"; }
  [[nodiscard]] std::filesystem::path client_ca() const { return directory_.path() / "ca.pem"; }
  // Returns "{certificate: ..., key: ...}" for the config.
  [[nodiscard]] std::string yaml() const;
  // Returns the key `listen` for the config, with a plain listener first and a TLS listener second.
  [[nodiscard]] std::string listen() const;

  Certificate authority{{.name = "authority", .is_authority = true}};
  Certificate own{{.issuer = &authority}};

 private:
  TemporaryDirectory directory_;
  bool asks_clients_;
};

// Returns the endpoint of the server's TLS listener at 127.0.0.1. Call it after wait_until_listening().
[[nodiscard]] Endpoint tls_endpoint(const Server& server, std::shared_ptr<ssl_ctx_st> client);

}  // namespace yolod::tests
