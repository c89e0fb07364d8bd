#include "app/net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <array>
#include <ctime>
#include <string_view>
#include <system_error>
#include <utility>

namespace yolod::app::net {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// "\x08http/1.1", as ALPN writes a list of protocols (RFC 7301).
constexpr std::string_view kHttp11 = "\x08http/1.1";
// A signature with a longer RSA key takes 1.4 ms and more of the event loop's time for each handshake.
constexpr int kLongestQuickRsaBits = 3072;

// The reason of OpenSSL's first error. Forgets all errors.
std::string take_reason() {
  const unsigned long code = ERR_peek_error();  // NOLINT(google-runtime-int): OpenSSL's type
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  const bool is_system = ERR_SYSTEM_ERROR(code);
  ERR_clear_error();
  if (is_system) return std::system_category().message(ERR_GET_REASON(code));
  return reason == nullptr ? "it cannot be read" : reason;
}

Error bad_file(const std::filesystem::path& file, const std::string& reason) {
  return {ErrorCode::kBadConfig, file.string() + ": " + reason};
}

TlsContext::TimePoint time_of(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&broken_down));
}

std::string date_text(TlsContext::TimePoint time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm broken_down{};
  gmtime_r(&seconds, &broken_down);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &broken_down);
  return text.data();
}

int choose_protocol(SSL* /*connection*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void* /*unused*/) {
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, chosen_size, reinterpret_cast<const unsigned char*>(kHttp11.data()),
                                           static_cast<unsigned int>(kHttp11.size()), offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A passphrase would be asked for at the terminal: nobody sits there.
int no_passphrase(char* /*text*/, int /*size*/, int /*for_writing*/, void* /*unused*/) { return 0; }

}  // namespace

Outcome<std::shared_ptr<const TlsContext>> TlsContext::load(const common::TlsConfig& files) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext);
  if (made->context_ == nullptr) return Error{ErrorCode::kSystem, "OpenSSL: " + take_reason()};
  made->set_rules();
  if (auto read = made->read(files); !read) return read.error();
  made->read_facts();
  return std::shared_ptr<const TlsContext>(std::move(made));
}

TlsContext::TlsContext() : context_(SSL_CTX_new(TLS_server_method())) {}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

void TlsContext::set_rules() {
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context_, "ECDHE+AESGCM:ECDHE+CHACHA20");  // for TLS 1.2; those of 1.3 are all good
  SSL_CTX_set_options(context_, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // A ticket saves nothing with TLS 1.3 and ECDSA, and a session cache is one more thing to fill.
  SSL_CTX_set_num_tickets(context_, 0);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  // An idle connection keeps no buffers: 15 kB instead of 48.
  SSL_CTX_set_mode(context_,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(context_, &choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context_, &no_passphrase);
}

Outcome<void> TlsContext::read(const common::TlsConfig& files) {
  certificate_ = files.certificate;
  if (SSL_CTX_use_certificate_chain_file(context_, files.certificate.c_str()) != 1) {
    return bad_file(files.certificate, "no certificate in PEM: " + take_reason());
  }
  struct stat state {};
  if (stat(files.key.c_str(), &state) != 0) {
    return Error{ErrorCode::kBadConfig, common::last_system_error(files.key.string()).message};
  }
  if ((state.st_mode & S_IRWXO) != 0) {
    return bad_file(files.key, "every user may read this key; allow its owner and its group alone (chmod 640)");
  }
  if (SSL_CTX_use_PrivateKey_file(context_, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const int reason = ERR_GET_REASON(ERR_peek_error());
    const bool is_another = reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
    const std::string why = take_reason();
    return bad_file(files.key, is_another ? "this key does not belong to " + files.certificate.string()
                                          : "no key without a passphrase in PEM: " + why);
  }
  if (files.client_ca.empty()) return {};
  auto* const names = SSL_load_client_CA_file(files.client_ca.c_str());
  if (names == nullptr || SSL_CTX_load_verify_locations(context_, files.client_ca.c_str(), nullptr) != 1) {
    sk_X509_NAME_pop_free(names, &X509_NAME_free);
    return bad_file(files.client_ca, "no certificates in PEM: " + take_reason());
  }
  SSL_CTX_set_client_CA_list(context_, names);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

void TlsContext::read_facts() {
  const X509* const certificate = SSL_CTX_get0_certificate(context_);
  not_before_ = time_of(X509_get0_notBefore(certificate));
  not_after_ = time_of(X509_get0_notAfter(certificate));
  const EVP_PKEY* const key = SSL_CTX_get0_privatekey(context_);
  const int bits = EVP_PKEY_get_bits(key);
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits > kLongestQuickRsaBits) {
    warnings_.push_back(certificate_.string() + ": an RSA key of " + std::to_string(bits) +
                        " bits; each handshake stops every other request for 3 ms. Use a key for ECDSA");
  }
}

Outcome<void> TlsContext::check_dates(TimePoint now) const {
  if (now < not_before_) return bad_file(certificate_, "the certificate is not valid before " + date_text(not_before_));
  if (now > not_after_) return bad_file(certificate_, "the certificate expired on " + date_text(not_after_));
  return {};
}

}  // namespace yolod::app::net
