#include "common/tls/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <memory>

#include "common/text.hpp"

namespace yolod::common {
namespace {

constexpr std::size_t kLongestName = 200;

std::string key_text(EVP_PKEY* key) {
  if (key == nullptr) return "of an unknown kind";
  const int bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return "RSA " + std::to_string(bits) + " bits";
    case EVP_PKEY_EC: {
      std::array<char, 64> group{};
      std::size_t size = 0;
      if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) return "ECDSA";
      const char* const known = EC_curve_nid2nist(OBJ_sn2nid(group.data()));
      return "ECDSA " + std::string(known == nullptr ? group.data() : known);
    }
    default: break;
  }
  const char* const kind = EVP_PKEY_get0_type_name(key);
  return kind == nullptr ? "of an unknown kind" : kind;
}

std::string name_text(const GENERAL_NAME& name) {
  const ASN1_STRING* const value = name.type == GEN_DNS ? name.d.dNSName : name.d.iPAddress;
  const unsigned char* const bytes = ASN1_STRING_get0_data(value);
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(value));
  if (name.type == GEN_DNS) return printable({reinterpret_cast<const char*>(bytes), size}, kLongestName);
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = size == sizeof(in6_addr) ? AF_INET6 : AF_INET;
  if (size != sizeof(in6_addr) && size != sizeof(in_addr)) return "an address of a wrong length";
  return inet_ntop(family, bytes, text.data(), text.size()) == nullptr ? "" : text.data();
}

std::vector<std::string> names_of(const X509* certificate) {
  const auto free_names = [](GENERAL_NAMES* all) { GENERAL_NAMES_free(all); };
  const std::unique_ptr<GENERAL_NAMES, decltype(free_names)> found(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)), free_names);
  std::vector<std::string> names;
  for (int i = 0; found != nullptr && i < sk_GENERAL_NAME_num(found.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(found.get(), i);
    if (name->type == GEN_DNS || name->type == GEN_IPADD) names.push_back(name_text(*name));
  }
  return names;
}

CertificateFacts::TimePoint time_of(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&broken_down));
}

}  // namespace

CertificateFacts facts_of(const X509* certificate) {
  return {text_of(X509_get_subject_name(certificate)),
          text_of(X509_get_issuer_name(certificate)),
          names_of(certificate),
          time_of(X509_get0_notBefore(certificate)),
          time_of(X509_get0_notAfter(certificate)),
          key_text(X509_get0_pubkey(certificate))};
}

std::string text_of(const X509_NAME* name) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  // RFC 2253 writes the names of the attributes in short, and escapes control characters.
  if (memory == nullptr || X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* text = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &text);
  return size <= 0 ? std::string() : printable({text, static_cast<std::size_t>(size)}, kLongestName);
}

std::string date_text(CertificateFacts::TimePoint time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm broken_down{};
  gmtime_r(&seconds, &broken_down);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &broken_down);
  return text.data();
}

}  // namespace yolod::common
