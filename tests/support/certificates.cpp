#include "tests/support/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace yolod::tests {
namespace {

void require(bool success, const char* what) {
  if (!success) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, value);
  X509_EXTENSION_free(extension);
}

template <typename Write>
void write_file(const std::filesystem::path& file, const char* mode, Write write) {
  std::FILE* const stream = std::fopen(file.c_str(), mode);
  require(stream != nullptr, file.c_str());
  const bool written = write(stream) == 1;
  require(std::fclose(stream) == 0 && written, file.c_str());
}

}  // namespace

Certificate::Certificate(const Settings& settings)
    : key_(settings.rsa_bits == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(static_cast<unsigned>(settings.rsa_bits)),
           &EVP_PKEY_free),
      certificate_(X509_new(), &X509_free) {
  require(key_ != nullptr && certificate_ != nullptr, "no key");
  X509* const made = certificate_.get();
  X509* const issuer = settings.issuer == nullptr ? made : settings.issuer->native();
  static long serial = 0;  // NOLINT(google-runtime-int): OpenSSL's type
  ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
  X509_set_version(made, 2);
  X509_gmtime_adj(X509_getm_notBefore(made), settings.valid_from.count());
  X509_gmtime_adj(X509_getm_notAfter(made), settings.valid_to.count());
  X509_set_pubkey(made, key_.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(settings.name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(issuer));
  add_extension(made, issuer, NID_basic_constraints, settings.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
  const bool is_plain_name =
      std::all_of(settings.name.begin(), settings.name.end(), [](unsigned char c) { return c > ' '; });
  if (!settings.is_authority && is_plain_name) {
    add_extension(made, issuer, NID_subject_alt_name, ("DNS:" + settings.name + ",IP:" + settings.address).c_str());
  }
  EVP_PKEY* const signer = settings.issuer == nullptr ? key_.get() : settings.issuer->key();
  require(X509_sign(made, signer, EVP_sha256()) != 0, "the certificate cannot be signed");
}

void Certificate::write_certificate(const std::filesystem::path& file) const {
  write_file(file, "w", [this](std::FILE* stream) { return PEM_write_X509(stream, certificate_.get()); });
}

void Certificate::append_certificate(const std::filesystem::path& file) const {
  write_file(file, "a", [this](std::FILE* stream) { return PEM_write_X509(stream, certificate_.get()); });
}

void Certificate::write_key(const std::filesystem::path& file) const {
  write_file(file, "w", [this](std::FILE* stream) {
    fchmod(fileno(stream), 0600);
    return PEM_write_PrivateKey(stream, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace yolod::tests
