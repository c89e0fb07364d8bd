#include "app/access/token_digest.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

namespace yolod::app::access {

using accounts::protocol::Digest;

TokenDigest::TokenDigest()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free), context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
  if (algorithm_ == nullptr) ERR_clear_error();
}

// EVP_DigestFinal_ex() overwrites the part of the token that the context holds.
Digest TokenDigest::of(std::string_view token) {
  Digest digest{};
  const bool is_done = algorithm_ != nullptr && context_ != nullptr &&
                       EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
                       EVP_DigestUpdate(context_.get(), token.data(), token.size()) == 1 &&
                       EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1;
  return is_done ? digest : accounts::protocol::digest_of(token);
}

}  // namespace yolod::app::access
