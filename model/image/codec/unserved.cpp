#include "model/image/codec/unserved.hpp"

#include <algorithm>
#include <array>

#include "model/image/codec/byte_reader.hpp"

namespace yolod::model::image::codec {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view name;
  std::string_view magic;
  std::size_t at{0};
};

constexpr std::array kSignatures{
    Signature{"GIF", "GIF8"sv},
    Signature{"JPEG XL", "\xFF\x0A"sv},
    Signature{"JPEG XL", "\0\0\0\x0CJXL \r\n\x87\n"sv},
    Signature{"JPEG 2000", "\0\0\0\x0CjP  \r\n\x87\n"sv},
    Signature{"JPEG 2000", "\xFF\x4F\xFF\x51"sv},
    Signature{"JPEG XR", "II\xBC"sv},
    Signature{"BigTIFF", "II+\0"sv},
    Signature{"BigTIFF", "MM\0+"sv},
    Signature{"PAM", "P7\n"sv},
    Signature{"PFM", "PF\n"sv},
    Signature{"PFM", "Pf\n"sv},
    Signature{"PSD", "8BPS"sv},
    Signature{"ICO", "\0\0\1\0"sv},
    Signature{"ICNS", "icns"sv},
    Signature{"QOI", "qoif"sv},
    Signature{"BPG", "BPG\xFB"sv},
    Signature{"FLIF", "FLIF"sv},
    Signature{"XCF", "gimp xcf"sv},
    Signature{"OpenEXR", "\x76\x2F\x31\x01"sv},
    Signature{"Radiance HDR", "#?RADIANCE"sv},
    Signature{"Radiance HDR", "#?RGBE"sv},
    Signature{"DDS", "DDS "sv},
    Signature{"KTX", "\xABKTX "sv},
    Signature{"FITS", "SIMPLE  ="sv},
    Signature{"DICOM", "DICM"sv, 128},
    Signature{"DjVu", "AT&TFORM"sv},
    Signature{"XPM", "/* XPM */"sv},
    Signature{"EMF", " EMF"sv, 40},
    Signature{"WMF", "\xD7\xCD\xC6\x9A"sv},
    Signature{"SGI", "\x01\xDA\0\1"sv},
    Signature{"SGI", "\x01\xDA\1\1"sv},
    Signature{"Sun raster", "\x59\xA6\x6A\x95"sv},
    Signature{"camera raw (Fujifilm)", "FUJIFILMCCD-RAW"sv},
    Signature{"camera raw (Olympus)", "IIRO"sv},
    Signature{"camera raw (Olympus)", "IIRS"sv},
    Signature{"camera raw (Panasonic)", "IIU\0"sv},
    Signature{"PDF", "%PDF-"sv},
    Signature{"PostScript", "%!PS"sv},
    Signature{"Matroska or WebM", "\x1A\x45\xDF\xA3"sv},
    Signature{"AVI", "AVI "sv, 8},  // after "RIFF" and a length
    Signature{"FLV", "FLV\1"sv},
    Signature{"MPEG", "\0\0\1\xBA"sv},
    Signature{"MPEG", "\0\0\1\xB3"sv},
    Signature{"Ogg", "OggS"sv},
};

// The brands of an ISO base media file (ISO 14496-12, 23008-12), which begins with a box "ftyp".
constexpr std::array kBrands{
    std::pair{"avif"sv, "AVIF"sv}, std::pair{"avis"sv, "AVIF"sv},
    std::pair{"heic"sv, "HEIC"sv}, std::pair{"heix"sv, "HEIC"sv},
    std::pair{"hevc"sv, "HEIC"sv}, std::pair{"hevx"sv, "HEIC"sv},
    std::pair{"heim"sv, "HEIC"sv}, std::pair{"heis"sv, "HEIC"sv},
    std::pair{"hevm"sv, "HEIC"sv}, std::pair{"hevs"sv, "HEIC"sv},
    std::pair{"mif1"sv, "HEIF"sv}, std::pair{"mif2"sv, "HEIF"sv},
    std::pair{"msf1"sv, "HEIF"sv}, std::pair{"crx "sv, "camera raw (Canon)"sv},
};

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string_view brand_name(std::string_view brand) {
  const auto* const known =
      std::find_if(kBrands.begin(), kBrands.end(), [brand](const auto& one) { return one.first == brand; });
  return known == kBrands.end() ? std::string_view() : known->second;
}

// The major brand is often that of the container; a compatible brand names the content.
std::string_view media_format(Bytes file) {
  constexpr std::size_t kMostBrands = 32;
  ByteReader reader(file, true);
  const auto box = text_of(file.first(std::min<std::size_t>({file.size(), reader.u32(0), 16 + 4 * kMostBrands})));
  std::string_view name = "MP4";
  for (std::size_t at = 8; at + 4 <= box.size(); at += at == 8 ? 8 : 4) {  // a version follows the major brand
    const auto found = brand_name(box.substr(at, 4));
    if (found.empty()) continue;
    name = found;
    if (found != "HEIF") break;
  }
  return name;
}

bool is_svg(Bytes file) {
  constexpr std::size_t kLooked = 4096;
  auto text = text_of(file.first(std::min(file.size(), kLooked)));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text[begin] != '<') return false;
  const auto svg = text.find("<svg");
  const auto other =
      std::min({text.find("<html"), text.find("<HTML"), text.find("<body"), text.find("<!doctype html")});
  return svg != std::string_view::npos && svg < other;
}

}  // namespace

std::string_view unserved_format(Bytes file) {
  for (const auto& [name, magic, at] : kSignatures) {
    if (begins_with(file, magic, at)) return name;
  }
  if (begins_with(file, "ftyp"sv, 4)) return media_format(file);
  if (begins_with(file, "moov"sv, 4) || begins_with(file, "mdat"sv, 4)) return "MP4";
  if (is_svg(file)) return "SVG";
  constexpr auto kTgaEnd = "TRUEVISION-XFILE.\0"sv;
  if (file.size() >= kTgaEnd.size() && text_of(file.last(kTgaEnd.size())) == kTgaEnd) return "TGA";
  return {};
}

}  // namespace yolod::model::image::codec
