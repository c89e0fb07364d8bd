// Makes certificates and keys for tests, as PEM files.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY
struct x509_st;      // OpenSSL's X509

namespace yolod::tests {

// A certificate with its key.
class Certificate {
 public:
  struct Settings {
    std::string name{"localhost"};           // the common name, and the name for servers
    std::string address{"127.0.0.1"};        // the address for servers
    std::chrono::seconds valid_from{-3600};  // from now
    std::chrono::seconds valid_to{24 * 3600};
    int rsa_bits{0};                     // 0: ECDSA with P-256
    const Certificate* issuer{nullptr};  // null: the certificate signs itself
    bool is_authority{false};
  };
  // Throws std::runtime_error if OpenSSL fails.
  explicit Certificate(const Settings& settings);

  void write_certificate(const std::filesystem::path& file) const;
  // Writes the certificate behind those that the file has.
  void append_certificate(const std::filesystem::path& file) const;
  // Writes the key with mode 0600.
  void write_key(const std::filesystem::path& file) const;

  [[nodiscard]] evp_pkey_st* key() const { return key_.get(); }
  [[nodiscard]] x509_st* native() const { return certificate_.get(); }

 private:
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
};

}  // namespace yolod::tests
