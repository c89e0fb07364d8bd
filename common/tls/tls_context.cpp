#include "common/tls/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

namespace yolod::common {
namespace {

// This is the ALPN list of protocols (RFC 7301). Its only entry is http/1.1.
constexpr std::string_view kHttp11 = "\x08http/1.1";
// A signature with a longer RSA key holds the event loop for more than 1.4 ms at each handshake.
constexpr int kLongestQuickRsaBits = 3072;
// OpenSSL reads this much from a socket at once: two TLS records with their heads. Without it each record takes two
// calls of the kernel. A larger buffer saves less than the copies within it cost.
constexpr std::size_t kReadAtOnceBytes = std::size_t{2} * (16 * 1024 + 256 + 5);

// Returns the reason of OpenSSL's first error, and clears all its errors.
std::string take_reason() {
  const unsigned long code = ERR_peek_error();  // NOLINT(google-runtime-int): OpenSSL's type
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  const bool is_system = ERR_SYSTEM_ERROR(code);
  ERR_clear_error();
  if (is_system) return std::system_category().message(ERR_GET_REASON(code));
  return reason == nullptr ? "it cannot be read" : reason;
}

// Returns whether the path names something else than a file. OpenSSL would wait for the writer of a FIFO.
bool is_other_kind(const std::filesystem::path& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode);
}

Error bad_file(const std::filesystem::path& file, const std::string& reason) {
  return {ErrorCode::kBadConfig, file.string() + ": " + reason};
}

int choose_protocol(SSL* /*connection*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void* /*unused*/) {
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, chosen_size, reinterpret_cast<const unsigned char*>(kHttp11.data()),
                                           static_cast<unsigned int>(kHttp11.size()), offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Without this function OpenSSL would ask for a passphrase at the terminal.
int no_passphrase(char* /*text*/, int /*size*/, int /*for_writing*/, void* /*unused*/) { return 0; }

}  // namespace

Outcome<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsConfig& files) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  auto faults = made->read(files);
  if (!faults.empty()) return std::move(faults.front());
  return std::shared_ptr<const TlsContext>(std::move(made));
}

TlsCheck TlsContext::check(const TlsConfig& files, TimePoint now) {
  TlsContext made;
  TlsCheck check;
  for (const Error& fault : made.read(files)) check.faults.push_back(fault.message);
  if (auto valid = made.check_dates(now); !valid) check.faults.push_back(valid.error().message);
  check.chain = std::move(made.chain_);
  check.client_authorities = std::move(made.client_authorities_);
  check.warnings = std::move(made.warnings_);
  return check;
}

TlsContext::TlsContext() : context_(SSL_CTX_new(TLS_server_method())) {}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::vector<Error> TlsContext::read(const TlsConfig& files) {
  ERR_clear_error();
  if (context_ == nullptr) return {{ErrorCode::kSystem, "OpenSSL: " + take_reason()}};
  set_rules();
  std::vector<Error> faults;
  if (auto done = read_certificate(files); !done) faults.push_back(done.error());
  if (auto done = read_key(files); !done) faults.push_back(done.error());
  if (auto done = read_client_ca(files); !done) faults.push_back(done.error());
  if (faults.empty()) check_key();
  return faults;
}

void TlsContext::set_rules() {
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  // AES with 128 bits takes a tenth less time than AES with 256 bits, and is safe as well. The first list is for
  // TLS 1.2.
  SSL_CTX_set_cipher_list(context_, "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_ciphersuites(context_, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  // Other groups cost the server 1 ms (P-384) to 30 ms (finite fields of 8192 bits), and a client could ask for them.
  SSL_CTX_set1_groups_list(context_, "X25519:P-256");
  SSL_CTX_set_options(context_, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // With TLS 1.3 and ECDSA a ticket saves nothing, and clients could fill a session cache.
  SSL_CTX_set_num_tickets(context_, 0);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  // Without SSL_MODE_AUTO_RETRY a read returns after each record, so a client cannot hold the event loop with records
  // that carry no data.
  SSL_CTX_clear_mode(context_, SSL_MODE_AUTO_RETRY);
  // With SSL_MODE_RELEASE_BUFFERS an idle connection takes 15 kB instead of 48 kB.
  SSL_CTX_set_mode(context_,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context_, 1);
  SSL_CTX_set_default_read_buffer_len(context_, kReadAtOnceBytes);
  SSL_CTX_set_alpn_select_cb(context_, &choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context_, &no_passphrase);
}

Outcome<void> TlsContext::read_certificate(const TlsConfig& files) {
  certificate_ = files.certificate;
  if (is_other_kind(files.certificate)) return bad_file(files.certificate, "is not a regular file");
  if (SSL_CTX_use_certificate_chain_file(context_, files.certificate.c_str()) != 1) {
    return bad_file(files.certificate, "no certificate in PEM: " + take_reason());
  }
  X509* signed_one = SSL_CTX_get0_certificate(context_);
  chain_.push_back(facts_of(signed_one));
  STACK_OF(X509)* authorities = nullptr;
  SSL_CTX_get0_chain_certs(context_, &authorities);
  for (int i = 0; i < sk_X509_num(authorities); ++i) {
    X509* const authority = sk_X509_value(authorities, i);
    chain_.push_back(facts_of(authority));
    if (X509_check_issued(authority, signed_one) != X509_V_OK) {
      warnings_.push_back(bad_file(certificate_, "the certificates are no chain, and clients may refuse them: \"" +
                                                     chain_[chain_.size() - 2].subject + "\" is not signed by \"" +
                                                     chain_.back().subject + "\", which follows it")
                              .message);
    }
    signed_one = authority;
  }
  ERR_clear_error();
  return {};
}

Outcome<void> TlsContext::read_key(const TlsConfig& files) {
  struct stat state {};
  if (stat(files.key.c_str(), &state) != 0) {
    return Error{ErrorCode::kBadConfig, last_system_error(files.key.string()).message};
  }
  if (is_other_kind(files.key)) return bad_file(files.key, "is not a regular file");
  if ((state.st_mode & S_IRWXO) != 0) {
    return bad_file(files.key,
                    "every user may read this key; allow it to its owner and its group only, such as with chmod 640");
  }
  if (SSL_CTX_use_PrivateKey_file(context_, files.key.c_str(), SSL_FILETYPE_PEM) == 1) return {};
  const int reason = ERR_GET_REASON(ERR_peek_error());
  const bool is_another = reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
  const std::string why = take_reason();
  return bad_file(files.key, is_another ? "this key does not belong to the certificate " + files.certificate.string()
                                        : "no private key in PEM without a passphrase: " + why);
}

Outcome<void> TlsContext::read_client_ca(const TlsConfig& files) {
  if (files.client_ca.empty()) return {};
  if (is_other_kind(files.client_ca)) return bad_file(files.client_ca, "is not a regular file");
  auto* const names = SSL_load_client_CA_file(files.client_ca.c_str());
  if (names == nullptr || SSL_CTX_load_verify_locations(context_, files.client_ca.c_str(), nullptr) != 1) {
    sk_X509_NAME_pop_free(names, &X509_NAME_free);
    return bad_file(files.client_ca, "no certificates in PEM: " + take_reason());
  }
  for (int i = 0; i < sk_X509_NAME_num(names); ++i) {
    client_authorities_.push_back(text_of(sk_X509_NAME_value(names, i)));
  }
  SSL_CTX_set_client_CA_list(context_, names);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

void TlsContext::check_key() {
  const EVP_PKEY* const key = SSL_CTX_get0_privatekey(context_);
  const int bits = EVP_PKEY_get_bits(key);
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || bits <= kLongestQuickRsaBits) return;
  warnings_.push_back(
      bad_file(certificate_, "with its RSA key of " + std::to_string(bits) +
                                 " bits each handshake stops every other request for some milliseconds; use an ECDSA "
                                 "key, or RSA with 2048 bits")
          .message);
}

TlsContext::TimePoint TlsContext::not_after() const {
  return std::min_element(chain_.begin(), chain_.end(),
                          [](const auto& a, const auto& b) { return a.not_after < b.not_after; })
      ->not_after;
}

Outcome<void> TlsContext::check_dates(TimePoint now) const {
  for (const CertificateFacts& one : chain_) {
    const std::string which =
        &one == &chain_.front() ? "the certificate" : "the certificate of \"" + one.subject + "\"";
    if (now < one.not_before)
      return bad_file(certificate_, which + " is not valid before " + date_text(one.not_before));
    if (now > one.not_after) return bad_file(certificate_, which + " expired on " + date_text(one.not_after));
  }
  return {};
}

}  // namespace yolod::common
