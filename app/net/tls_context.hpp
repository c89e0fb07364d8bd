// The certificate, key and rules that TLS connections of a listener are made with: TLS 1.2 and 1.3, HTTP/1.1 by ALPN,
// no session tickets, no renegotiation, no compression.
//
// A context is made and checked as a whole before a listener uses it, so bad files change nothing; connections that
// were made with an older context keep it. Front-end only, its one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/config/server_config.hpp"
#include "common/outcome.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace yolod::app::net {

class TlsContext {
 public:
  // Reads the files. An Error is kBadConfig and names the file: it cannot be read, the key does not belong to the
  // certificate, or users other than the owner and the group may read the key.
  [[nodiscard]] static common::Outcome<std::shared_ptr<const TlsContext>> load(const common::TlsConfig& files);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  [[nodiscard]] ssl_ctx_st* native() const { return context_; }
  // Of the server's own certificate.
  using TimePoint = std::chrono::system_clock::time_point;
  [[nodiscard]] TimePoint not_before() const { return not_before_; }
  [[nodiscard]] TimePoint not_after() const { return not_after_; }
  // Whether clients may take the certificate for valid at that time; else why not, as the end of a sentence that begins
  // with the file's name.
  [[nodiscard]] common::Outcome<void> check_dates(TimePoint now) const;
  // What the operator should know: whole sentences, for the log.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  TlsContext();
  [[nodiscard]] common::Outcome<void> read(const common::TlsConfig& files);
  void set_rules();
  void read_facts();

  ssl_ctx_st* context_;
  std::filesystem::path certificate_;
  TimePoint not_before_;
  TimePoint not_after_;
  std::vector<std::string> warnings_;
};

}  // namespace yolod::app::net
