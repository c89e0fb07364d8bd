#include "model/image/codec/codecs.hpp"

#include <string>
#include <string_view>

#include "model/image/codec/bmp.hpp"
#include "model/image/codec/byte_reader.hpp"
#include "model/image/codec/errors.hpp"
#include "model/image/codec/jpeg.hpp"
#include "model/image/codec/png.hpp"
#include "model/image/codec/pnm.hpp"
#include "model/image/codec/tiff.hpp"
#include "model/image/codec/unserved.hpp"
#include "model/image/codec/webp.hpp"

namespace yolod::model::image::codec {

using common::Error;
using common::ErrorCode;
using common::Outcome;

std::optional<Format> format_of(Bytes file) {
  using namespace std::string_view_literals;
  if (begins_with(file, "\xFF\xD8\xFF"sv)) return Format::kJpeg;
  if (begins_with(file, "\x89PNG\r\n\x1A\n"sv)) return Format::kPng;
  if (begins_with(file, "RIFF"sv) && begins_with(file, "WEBP"sv, 8)) return Format::kWebp;
  if (begins_with(file, "BM"sv)) return Format::kBmp;
  if (begins_with(file, "II*\0"sv) || begins_with(file, "MM\0*"sv)) return Format::kTiff;
  if (file.size() >= 3 && begins_with(file, "P"sv)) {
    const auto kind = std::to_integer<unsigned char>(file[1]);
    const auto next = std::to_integer<unsigned char>(file[2]);
    const bool ends_word = next == ' ' || (next >= '\t' && next <= '\r') || next == '#';
    if (kind >= '1' && kind <= '6' && ends_word) return Format::kPnm;
  }
  return std::nullopt;
}

Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels) {
  const auto format = format_of(file);
  if (!format) {
    const auto name = unserved_format(file);
    if (name.empty()) return invalid("not an image of a served format: JPEG, PNG, WebP, BMP, TIFF or PNM");
    return Error{ErrorCode::kUnsupportedMediaType,
                 std::string(name) + " is not served: send JPEG, PNG, WebP, BMP, TIFF or PNM"};
  }
  switch (*format) {
    case Format::kJpeg: return jpeg::probe(file, max_pixels);
    case Format::kPng: return png::probe(file, max_pixels);
    case Format::kWebp: return webp::probe(file, max_pixels);
    case Format::kBmp: return bmp::probe(file, max_pixels);
    case Format::kTiff: return tiff::probe(file, max_pixels);
    case Format::kPnm: return pnm::probe(file, max_pixels);
  }
  return invalid("not an image");
}

Outcome<void> decode(Bytes file, Format format, unsigned reduction, Canvas& into, Budget& budget) {
  switch (format) {
    case Format::kJpeg: return jpeg::decode(file, reduction, into, budget);
    case Format::kPng: return png::decode(file, into, budget);
    case Format::kWebp: return webp::decode(file, into, budget);
    case Format::kBmp: return bmp::decode(file, into, budget);
    case Format::kTiff: return tiff::decode(file, into, budget);
    case Format::kPnm: return pnm::decode(file, into, budget);
  }
  return invalid("not an image");
}

}  // namespace yolod::model::image::codec
