#include "app/api/content_coding.hpp"

#include "app/http/characters.hpp"
#include "app/http/content_negotiation.hpp"

namespace yolod::app::api {

std::string_view to_string(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::kIdentity: return "identity";
    case ContentCoding::kGzip: return "gzip";
    case ContentCoding::kDeflate: return "deflate";
  }
  return {};
}

std::optional<ContentCoding> coding_of(std::string_view content_encoding) {
  if (content_encoding.empty()) return ContentCoding::kIdentity;
  for (const auto coding : {ContentCoding::kIdentity, ContentCoding::kGzip, ContentCoding::kDeflate}) {
    if (http::equal_ignoring_case(content_encoding, to_string(coding))) return coding;
  }
  return std::nullopt;
}

ContentCoding preferred_coding(std::string_view accept_encoding) {
  if (accept_encoding.empty()) return ContentCoding::kIdentity;
  const float gzip = http::weight_of_coding(accept_encoding, "gzip");
  const float deflate = http::weight_of_coding(accept_encoding, "deflate");
  const float identity = http::weight_of_coding(accept_encoding, "identity");
  if (gzip > 0 && gzip >= deflate && gzip >= identity) return ContentCoding::kGzip;
  if (deflate > 0 && deflate >= identity) return ContentCoding::kDeflate;
  return ContentCoding::kIdentity;
}

}  // namespace yolod::app::api
