#include "tests/support/tls_client.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <csignal>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace yolod::tests {

std::shared_ptr<ssl_ctx_st> tls_client(const Certificate& authority, const Certificate* own) {
  std::signal(SIGPIPE, SIG_IGN);
  std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  SSL_CTX* const made = context.get();
  const bool is_ready = made != nullptr && X509_STORE_add_cert(SSL_CTX_get_cert_store(made), authority.native()) == 1 &&
                        X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(made), "127.0.0.1") == 1 &&
                        (own == nullptr || (SSL_CTX_use_certificate(made, own->native()) == 1 &&
                                            SSL_CTX_use_PrivateKey(made, own->key()) == 1));
  if (!is_ready) throw std::runtime_error("OpenSSL cannot make a client");
  SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

TlsFolder::TlsFolder(bool asks_clients) : asks_clients_(asks_clients) {
  own.write_certificate(certificate());
  own.write_key(key());
  if (asks_clients) authority.write_certificate(client_ca());
}

void TlsFolder::renew(const Certificate& next) const {
  const auto beside = directory_.path() / "next.pem";
  next.write_certificate(beside);
  std::filesystem::rename(beside, certificate());
  next.write_key(beside);
  std::filesystem::rename(beside, key());
}

std::string TlsFolder::yaml() const {
  return "{certificate: " + certificate().string() + ", key: " + key().string() +
         (asks_clients_ ? ", client_ca: " + client_ca().string() : "") + "}";
}

std::string TlsFolder::listen() const {
  return "listen: [\"127.0.0.1:0\", {address: \"127.0.0.1:0\", tls: " + yaml() + "}]";
}

Endpoint tls_endpoint(const Server& server, std::shared_ptr<ssl_ctx_st> client) {
  constexpr std::string_view kPrefix = "listening on https://127.0.0.1:";
  const std::string log = server.log();
  const auto at = log.find(kPrefix);
  if (at == std::string::npos) throw std::runtime_error("the server has no TLS listener");
  return {static_cast<std::uint16_t>(std::stoul(log.substr(at + kPrefix.size()))), {}, std::move(client)};
}

}  // namespace yolod::tests
