// These functions return facts about X.509 certificates as text for people. The texts have no control characters,
// because a certificate may come from a client. Any thread may call the functions.
#pragma once

#include <chrono>
#include <string>
#include <vector>

struct X509_name_st;  // OpenSSL's X509_NAME
struct x509_st;       // OpenSSL's X509

namespace yolod::common {

struct CertificateFacts {
  using TimePoint = std::chrono::system_clock::time_point;

  std::string subject;             // "CN=camera,O=Example"
  std::string issuer;              // the subject of the authority that signed it
  std::vector<std::string> names;  // the host names and addresses for which it is valid
  TimePoint not_before;
  TimePoint not_after;
  std::string key;  // "ECDSA P-256", "RSA 2048 bits"
};

[[nodiscard]] CertificateFacts facts_of(const x509_st* certificate);
// Returns the name as "CN=camera,O=Example", cut to a length that fits a line.
[[nodiscard]] std::string text_of(const X509_name_st* name);
// Returns a date such as "2027-01-31 12:00:00 UTC".
[[nodiscard]] std::string date_text(CertificateFacts::TimePoint time);

}  // namespace yolod::common
