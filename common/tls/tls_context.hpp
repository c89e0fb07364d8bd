// The certificate, the private key and the rules of TLS connections: TLS 1.2 and 1.3, HTTP/1.1 by ALPN, no session
// tickets, no renegotiation and no compression.
//
// A context is created and checked completely before a listener uses it, so bad files change nothing. A connection
// keeps the context that it began with. Only the thread that loaded a context uses it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/config/server_config.hpp"
#include "common/outcome.hpp"
#include "common/tls/certificate.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace yolod::common {

// The result of a check of TLS files.
struct TlsCheck {
  std::vector<CertificateFacts> chain;          // the certificates that the server sends, its own first
  std::vector<std::string> client_authorities;  // the subjects of the authorities in client_ca
  std::vector<std::string> faults;              // whole sentences; with a fault the server refuses the files
  std::vector<std::string> warnings;            // whole sentences about files that should be changed
};

class TlsContext {
 public:
  using TimePoint = CertificateFacts::TimePoint;

  // Reads the files. An Error is kBadConfig and names the file and the reason. The reason is that the file cannot be
  // read, that the key does not belong to the certificate, or that every user may read the key.
  [[nodiscard]] static Outcome<std::shared_ptr<const TlsContext>> load(const TlsConfig& files);
  // Reads the files as load() does, and returns every fault in them. A certificate that is not valid at `now` is a
  // fault.
  [[nodiscard]] static TlsCheck check(const TlsConfig& files, TimePoint now);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  [[nodiscard]] ssl_ctx_st* native() const { return context_; }
  // Returns the certificates that the server sends, its own first. There is at least one.
  [[nodiscard]] const std::vector<CertificateFacts>& chain() const { return chain_; }
  // Returns the subjects of the authorities in client_ca. It is empty if clients need no certificate.
  [[nodiscard]] const std::vector<std::string>& client_authorities() const { return client_authorities_; }
  // Returns the time at which the first certificate of the chain expires.
  [[nodiscard]] TimePoint not_after() const;
  // Returns an Error if clients would refuse a certificate of the chain at that time. The message names the file.
  [[nodiscard]] Outcome<void> check_dates(TimePoint now) const;
  // Returns whole sentences for the log about files that can be used but should be changed.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  TlsContext();
  void set_rules();
  // Returns every fault of the files.
  [[nodiscard]] std::vector<Error> read(const TlsConfig& files);
  [[nodiscard]] Outcome<void> read_certificate(const TlsConfig& files);
  [[nodiscard]] Outcome<void> read_key(const TlsConfig& files);
  [[nodiscard]] Outcome<void> read_client_ca(const TlsConfig& files);
  void check_key();

  ssl_ctx_st* context_;
  std::filesystem::path certificate_;
  std::vector<CertificateFacts> chain_;
  std::vector<std::string> client_authorities_;
  std::vector<std::string> warnings_;
};

}  // namespace yolod::common
