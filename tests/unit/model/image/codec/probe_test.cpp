#include "model/image/codec/probe.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "model/image/codec/codecs.hpp"
#include "tests/support/test_data.hpp"

using namespace yolod::model::image::codec;
using yolod::common::ErrorCode;
using namespace std::string_literals;

namespace {

constexpr std::uint64_t kEnough = 100'000'000;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span<const char>(text)); }

std::string little(std::uint64_t value, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
  return out;
}

std::string big(std::uint64_t value, int count) {
  auto out = little(value, count);
  return {out.rbegin(), out.rend()};
}

std::string jpeg(std::uint64_t width, std::uint64_t height, const std::string& before = "", char marker = '\xC0') {
  return "\xFF\xD8"s + before + "\xFF"s + marker + big(17, 2) + "\x08" + big(height, 2) + big(width, 2) + "\x03" +
         "\x01\x22\0\x02\x11\0\x03\x11\0"s + "\xFF\xDA"s + big(12, 2) + "\x03\x01\0\x02\0\x03\0\0\x3F\0"s;
}

std::string png(std::uint64_t width, std::uint64_t height) {
  return "\x89PNG\r\n\x1A\n"s + big(13, 4) + "IHDR" + big(width, 4) + big(height, 4) + "\x08\x02\0\0\0"s +
         std::string(4, '\x01');
}

std::string webp(const std::string& chunk, const std::string& payload) {
  return "RIFF" + little(100, 4) + "WEBP" + chunk + little(payload.size(), 4) + payload;
}

std::string bmp(std::int64_t width, std::int64_t height, int bits, std::size_t data, int compression = 0) {
  return "BM" + little(0, 4) + little(0, 4) + little(54, 4) + little(40, 4) +
         little(static_cast<std::uint64_t>(width), 4) + little(static_cast<std::uint64_t>(height), 4) + little(1, 2) +
         little(static_cast<std::uint64_t>(bits), 2) + little(static_cast<std::uint64_t>(compression), 4) +
         std::string(20, '\0') + std::string(data, 'x');
}

// Returns the header of a lossy bitstream in a chunk of a WebP file.
std::string webp_frame(std::uint64_t width, std::uint64_t height) {
  return "\x30\x01\x00\x9D\x01\x2A"s + little(width, 2) + little(height, 2);
}

std::string extended_webp(std::uint64_t width, std::uint64_t height) {
  const auto frame = webp_frame(width, height);
  return webp("VP8X", little(0, 4) + little(width - 1, 3) + little(height - 1, 3)) + "VP8 " + little(frame.size(), 4) +
         frame;
}

struct Tag {
  int id;
  int type;
  std::uint64_t value;
  int count{1};
};

std::string tiff(const std::vector<Tag>& tags, bool big_endian = false) {
  const auto number = [big_endian](std::uint64_t value, int count) {
    return big_endian ? big(value, count) : little(value, count);
  };
  auto out = (big_endian ? "MM\0*"s : "II*\0"s) + number(8, 4) + number(tags.size(), 2);
  for (const auto& tag : tags) {
    out += number(static_cast<std::uint64_t>(tag.id), 2) + number(static_cast<std::uint64_t>(tag.type), 2) +
           number(static_cast<std::uint64_t>(tag.count), 4);
    const int size = tag.type == 3 ? 2 : 4;
    out += number(tag.value, size) + std::string(static_cast<std::size_t>(4 - size), '\0');
  }
  return out;
}

// Returns a grey TIFF with one strip and the given dimensions.
std::string grey_tiff(std::vector<Tag> dimensions, bool big_endian = false) {
  for (const Tag& tag : {Tag{258, 3, 8}, Tag{259, 3, 1}, Tag{262, 3, 1}, Tag{273, 4, 8}, Tag{279, 4, 4}}) {
    dimensions.push_back(tag);
  }
  return tiff(dimensions, big_endian);
}

void check_size(const std::string& file, Format format, std::uint64_t width, std::uint64_t height) {
  const auto found = probe(bytes_of(file), kEnough);
  INFO((found ? std::string() : found.error().message));
  REQUIRE(found.ok());
  CHECK(found->format == format);
  CHECK(found->width == width);
  CHECK(found->height == height);
}

ErrorCode error_of(const std::string& file, std::uint64_t max_pixels = kEnough) {
  const auto found = probe(bytes_of(file), max_pixels);
  REQUIRE_FALSE(found.ok());
  return found.error().code;
}

std::string load(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("Probe: JPEG, after other segments and fill bytes, in every kind of frame", "[model][unit]") {
  check_size(jpeg(640, 480), Format::kJpeg, 640, 480);
  // The thumbnail inside an APP1 segment is not the picture.
  const auto thumbnail = jpeg(16, 16);
  check_size(jpeg(640, 480, "\xFF\xE1"s + big(thumbnail.size() + 2, 2) + thumbnail), Format::kJpeg, 640, 480);
  check_size(jpeg(640, 480, "\xFF\xFF\xFF\xDB"s + big(4, 2) + "ab"), Format::kJpeg, 640, 480);
  for (const char marker : {'\xC1', '\xC2'}) check_size(jpeg(3, 2, "", marker), Format::kJpeg, 3, 2);
}

TEST_CASE("Probe: a kind of JPEG that yolod does not serve is invalid", "[model][unit]") {
  // These frames are lossless, arithmetic-coded or hierarchical.
  for (const char marker : {'\xC3', '\xC5', '\xC9', '\xCA', '\xCB'}) {
    CHECK(error_of(jpeg(3, 2, "", marker)) == ErrorCode::kInvalidImage);
  }
  auto deep = jpeg(3, 2);
  deep[6] = 12;
  CHECK(error_of(deep) == ErrorCode::kInvalidImage);
  auto two_components = jpeg(3, 2);
  two_components[11] = 2;
  CHECK(error_of(two_components) == ErrorCode::kInvalidImage);
}

TEST_CASE("Probe: a JPEG with two frame headers is invalid", "[model][unit]") {
  const auto one = jpeg(3, 2);
  CHECK(error_of(one.substr(0, 21) + one.substr(2)) == ErrorCode::kInvalidImage);
}

TEST_CASE("Probe: the memory for a JPEG with several scans includes all its coefficients", "[model][unit]") {
  const auto single = probe(bytes_of(jpeg(10'000, 10'000)), kEnough);
  const auto several = probe(bytes_of(jpeg(10'000, 10'000, "", '\xC2')), kEnough);
  REQUIRE(single.ok());
  REQUIRE(several.ok());
  CHECK(single->working_bytes < 8'000'000);
  CHECK(several->working_bytes > 2 * 150'000'000ULL);
  CHECK(several->working_bytes < 320'000'000);
}

TEST_CASE("Probe: a JPEG without a frame, or cut short, is invalid", "[model][unit]") {
  CHECK(error_of("\xFF\xD8\xFF\xD9"s) == ErrorCode::kInvalidImage);
  CHECK(error_of("\xFF\xD8\xFF\xDA"s + big(2, 2)) == ErrorCode::kInvalidImage);
  CHECK(error_of("\xFF\xD8\xFF\xE0"s + big(1, 2)) == ErrorCode::kInvalidImage);
  CHECK(error_of("\xFF\xD8\xFF\xC4"s + big(19, 2) + std::string(30, '\0')) == ErrorCode::kInvalidImage);
  const auto whole = jpeg(640, 480);
  for (std::size_t length = 3; length < 11; ++length)
    CHECK(error_of(whole.substr(0, length)) == ErrorCode::kInvalidImage);
  CHECK(error_of(jpeg(640, 0)) == ErrorCode::kInvalidImage);
}

TEST_CASE("Probe: PNG with a valid and with an invalid header", "[model][unit]") {
  check_size(png(640, 480), Format::kPng, 640, 480);
  CHECK(error_of(png(0, 480)) == ErrorCode::kInvalidImage);
  CHECK(error_of(png(0x80000000, 1)) == ErrorCode::kInvalidImage);
  CHECK(error_of(png(640, 480).substr(0, 20)) == ErrorCode::kInvalidImage);
  auto wrong = png(640, 480);
  wrong[12] = 'X';
  CHECK(error_of(wrong) == ErrorCode::kInvalidImage);
}

TEST_CASE("Probe: WebP with each of its three bitstreams", "[model][unit]") {
  check_size(webp("VP8 ", "\x30\x01\x00\x9D\x01\x2A"s + little(640 | 0x4000, 2) + little(480, 2)), Format::kWebp, 640,
             480);
  check_size(webp("VP8L", "\x2F" + little(639 | 479U << 14U, 4)), Format::kWebp, 640, 480);
  check_size(extended_webp(640, 480), Format::kWebp, 640, 480);
  // The extended header comes without a picture, and then with a picture of another size.
  CHECK(error_of(webp("VP8X", little(0, 4) + little(639, 3) + little(479, 3))) == ErrorCode::kInvalidImage);
  const auto other = webp_frame(639, 480);
  CHECK(error_of(webp("VP8X", little(0, 4) + little(639, 3) + little(479, 3)) + "VP8 " + little(other.size(), 4) +
                 other) == ErrorCode::kInvalidImage);
  // The lossless bitstream has a version that does not exist.
  CHECK(error_of(webp("VP8L", "\x2F" + little(639 | 479U << 14U | 1U << 29U, 4))) == ErrorCode::kInvalidImage);
  CHECK(error_of(webp("VP8 ", "\x30\x01\x00zzz"s + little(640, 2) + little(480, 2))) == ErrorCode::kInvalidImage);
  CHECK(error_of(webp("VP8L", "x" + little(0, 4))) == ErrorCode::kInvalidImage);
  CHECK(error_of(webp("JUNK", "")) == ErrorCode::kInvalidImage);
  CHECK(error_of(webp("VP8X", little(0, 4))) == ErrorCode::kInvalidImage);
  CHECK(error_of("RIFF" + little(4, 4) + "WEBP") == ErrorCode::kInvalidImage);
  CHECK(error_of("RIFF" + little(4, 4) + "WAVE") == ErrorCode::kInvalidImage);
}

TEST_CASE("Probe: BMP with either row order and either header", "[model][unit]") {
  check_size(bmp(2, 3, 24, 24), Format::kBmp, 2, 3);
  check_size(bmp(2, -3, 24, 24), Format::kBmp, 2, 3);
  const auto core = "BM" + little(0, 8) + little(26, 4) + little(12, 4) + little(2, 2) + little(3, 2) + little(1, 2) +
                    little(24, 2) + std::string(24, 'x');
  check_size(core, Format::kBmp, 2, 3);
}

TEST_CASE("Probe: a BMP with a wrong size is invalid", "[model][unit]") {
  CHECK(error_of(bmp(2, 3, 24, 23)) == ErrorCode::kInvalidImage);
  CHECK(error_of(bmp(30'000, 3'000, 24, 100)) == ErrorCode::kInvalidImage);
  CHECK(error_of(bmp(-2, 3, 24, 24)) == ErrorCode::kInvalidImage);
  CHECK(error_of(bmp(2, -2147483648LL, 24, 24)) == ErrorCode::kInvalidImage);
  CHECK(error_of(bmp(0x7FFFFFFF, 0x7FFFFFFF, 32, 24)) == ErrorCode::kInvalidImage);
  CHECK(error_of(bmp(2, 3, 7, 24)) == ErrorCode::kInvalidImage);
  CHECK(error_of(bmp(0, 3, 24, 24)) == ErrorCode::kInvalidImage);
  CHECK(error_of(bmp(2, 3, 24, 24).substr(0, 30)) == ErrorCode::kInvalidImage);
  // The BMP is run-length coded, so the length of the file does not limit its dimensions.
  CHECK(error_of(bmp(30'000, 30'000, 8, 100, 1)) == ErrorCode::kImageTooLarge);
}

TEST_CASE("Probe: TIFF in both byte orders", "[model][unit]") {
  check_size(grey_tiff({{256, 3, 640}, {257, 4, 480}}), Format::kTiff, 640, 480);
  check_size(grey_tiff({{256, 3, 640}, {257, 4, 480}}, true), Format::kTiff, 640, 480);
  check_size(tiff({{256, 3, 640},
                   {257, 3, 480},
                   {258, 3, 8},
                   {259, 3, 1},
                   {262, 3, 1},
                   {322, 3, 640},
                   {323, 3, 480},
                   {324, 4, 8},
                   {325, 4, 4}}),
             Format::kTiff, 640, 480);
}

TEST_CASE("Probe: a TIFF with wrong values or a missing end is invalid", "[model][unit]") {
  CHECK(error_of(grey_tiff({{256, 3, 640}})) == ErrorCode::kInvalidImage);
  CHECK(error_of(grey_tiff({{256, 3, 640}, {257, 7, 480}})) == ErrorCode::kInvalidImage);
  CHECK(error_of(grey_tiff({{256, 3, 640}, {257, 3, 0}})) == ErrorCode::kInvalidImage);
  CHECK(error_of(grey_tiff({{256, 3, 64}, {257, 3, 64}, {322, 4, 1'000'000}, {323, 4, 1'000'000}})) ==
        ErrorCode::kInvalidImage);
  CHECK(error_of("II*\0"s + little(0xFFFFFFFF, 4)) == ErrorCode::kInvalidImage);
  CHECK(error_of("II*\0"s + little(8, 4) + little(20, 2)) == ErrorCode::kInvalidImage);
  CHECK(error_of(grey_tiff({{256, 4, 0xFFFFFFFF}, {257, 4, 0xFFFFFFFF}})) == ErrorCode::kImageTooLarge);
  CHECK(error_of(grey_tiff({{256, 3, 10}, {257, 4, 10'000}, {256, 4, 10}})) == ErrorCode::kInvalidImage);
}

// libtiff would use a value from an array, or the offsets of tiles, while the probe checked other values.
TEST_CASE("Probe: a TIFF that libtiff could read differently is invalid", "[model][unit]") {
  for (const int tag : {256, 257, 259, 262, 274, 277, 278, 284, 332}) {
    CAPTURE(tag);
    std::vector<Tag> tags{{256, 3, 64}, {257, 3, 64}, {258, 3, 8}, {262, 3, 1}, {273, 4, 8}, {279, 4, 4}};
    std::erase_if(tags, [tag](const Tag& one) { return one.id == tag; });
    tags.push_back({tag, 3, 1, 2});
    CHECK(error_of(tiff(tags)) == ErrorCode::kInvalidImage);
  }
  for (const int tag : {324, 325}) {
    CAPTURE(tag);
    CHECK(error_of(grey_tiff({{256, 3, 64}, {257, 3, 64}, {tag, 4, 8}})) == ErrorCode::kInvalidImage);
  }
  CHECK(error_of(tiff({{256, 3, 64},
                       {257, 3, 64},
                       {258, 3, 8},
                       {259, 3, 1},
                       {262, 3, 1},
                       {322, 3, 64},
                       {323, 3, 64},
                       {324, 4, 8},
                       {325, 4, 4},
                       {273, 4, 8}})) == ErrorCode::kInvalidImage);
}

TEST_CASE("Probe: a kind of TIFF that yolod does not serve never reaches libtiff", "[model][unit]") {
  const auto changed = [](const Tag& other) {
    std::vector<Tag> tags{{256, 3, 64}, {257, 3, 64}, {258, 3, 8}, {259, 3, 1},
                          {262, 3, 1},  {273, 4, 8},  {277, 3, 1}, {279, 4, 4}};
    bool found = false;
    for (auto& tag : tags) {
      if (tag.id != other.id) continue;
      tag = other;
      found = true;
    }
    if (!found) tags.push_back(other);
    return tiff(tags);
  };
  check_size(changed({277, 3, 1}), Format::kTiff, 64, 64);
  // The list holds old JPEG, ThunderScan, LERC, LZMA, ZSTD, WebP, JBIG, PixarLog and SGILog.
  for (const std::uint64_t compression : {6, 32809, 34887, 34925, 50000, 50001, 34661, 32909, 34676}) {
    CHECK(error_of(changed({259, 3, compression})) == ErrorCode::kInvalidImage);
  }
  for (const std::uint64_t bits : {3, 12, 32}) CHECK(error_of(changed({258, 3, bits})) == ErrorCode::kInvalidImage);
  CHECK(error_of(changed({277, 3, 64})) == ErrorCode::kInvalidImage);
  for (const std::uint64_t format : {2, 3}) CHECK(error_of(changed({339, 3, format})) == ErrorCode::kInvalidImage);
  CHECK(error_of(changed({262, 3, 8})) == ErrorCode::kInvalidImage);    // Lab
  CHECK(error_of(changed({279, 4, 999})) == ErrorCode::kInvalidImage);  // the strip exceeds the file
  CHECK(error_of("II*\0"s + little(8, 4) + little(0xFFFF, 2)) == ErrorCode::kImageTooComplex);
}

TEST_CASE("Probe: PNM, plain and raw", "[model][unit]") {
  check_size("P6 2 3 255\n" + std::string(18, 'x'), Format::kPnm, 2, 3);
  check_size("P6 2 3 65535\n" + std::string(36, 'x'), Format::kPnm, 2, 3);
  check_size("P5\n# a comment\n2\t3 # another\n255\n" + std::string(6, 'x'), Format::kPnm, 2, 3);
  check_size("P4 9 2\n" + std::string(4, 'x'), Format::kPnm, 9, 2);
  check_size("P3 1 1 255\n1 2 3", Format::kPnm, 1, 1);
  check_size("P1 3 1\n101", Format::kPnm, 3, 1);
}

TEST_CASE("Probe: a PNM with too few samples is invalid", "[model][unit]") {
  CHECK(error_of("P6 2 3 255\n" + std::string(17, 'x')) == ErrorCode::kInvalidImage);
  CHECK(error_of("P6 4294967295 4294967295 255\n") == ErrorCode::kInvalidImage);
  CHECK(error_of("P6 99999999999999999999 1 255\n") == ErrorCode::kInvalidImage);
  CHECK(error_of("P6 2 3 70000\n" + std::string(99, 'x')) == ErrorCode::kInvalidImage);
  CHECK(error_of("P6 2 3 0\n" + std::string(99, 'x')) == ErrorCode::kInvalidImage);
  CHECK(error_of("P6 2 x 255\n" + std::string(99, 'x')) == ErrorCode::kInvalidImage);
  CHECK(error_of("P6 #") == ErrorCode::kInvalidImage);
  CHECK(error_of("P6 2") == ErrorCode::kInvalidImage);
  CHECK(error_of("P5 0 0 255\n") == ErrorCode::kInvalidImage);
}

TEST_CASE("Probe: a file that is not a picture is invalid", "[model][unit]") {
  const auto file = GENERATE(""s, "x"s, "GIF"s, "hello, world"s, "P6"s, "P"s, "\0\0\0\x0CjP  "s, "II+"s, "ftyp"s,
                             "<html><svg></svg></html>"s, "<p>no drawing</p>"s, "RIFF\0\0\0\0WAVE"s, "PK\x03\x04"s);
  const auto refused = probe(bytes_of(file), kEnough);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kInvalidImage);
  CHECK(refused.error().message == "not an image of a served format: JPEG, PNG, WebP, BMP, TIFF or PNM");
}

namespace {

// Returns an ISO base media file. Its first box contains its brands.
std::string media(const std::string& major, const std::string& compatible) {
  return big(16 + compatible.size(), 4) + "ftyp" + major + big(0, 4) + compatible + big(8, 4) + "mdat";
}

}  // namespace

TEST_CASE("Probe: the error for a known format that yolod does not serve names it and the formats that yolod serves",
          "[model][unit]") {
  const auto [file, name] = GENERATE(table<std::string, std::string>({
      {"GIF89a", "GIF"},
      {media("heic", "mif1heic"), "HEIC"},
      {media("heix", "mif1heix"), "HEIC"},
      {media("hevc", "msf1hevc"), "HEIC"},
      {media("mif1", "mif1heic"), "HEIC"},  // phones and libheif write these brands
      {media("mif1", "mif1miaf"), "HEIF"},
      {media("avif", "mif1miaf"), "AVIF"},
      {media("mif1", "mif1avif"), "AVIF"},
      {media("avis", "msf1miaf"), "AVIF"},
      {media("isom", "isomavc1mp41"), "MP4"},
      {media("qt  ", "qt  "), "MP4"},
      {media("crx ", "crx isom"), "camera raw (Canon)"},
      {"\0\0\0\0ftyp"s, "MP4"},
      {"\xFF\xFF\xFF\xFF"
       "ftypheic"s,
       "HEIC"},
      {"\0\0\0\x0CJXL \r\n\x87\n"s, "JPEG XL"},
      {"\xFF\x0A\x7F"s, "JPEG XL"},
      {"\0\0\0\x0CjP  \r\n\x87\n"s, "JPEG 2000"},
      {"\xFF\x4F\xFF\x51\0\x2F"s, "JPEG 2000"},
      {"II\xBC\x01"s, "JPEG XR"},
      {"II+\0\x08\0\0\0"s, "BigTIFF"},
      {"MM\0+\0\x08\0\0"s, "BigTIFF"},
      {"P7\nWIDTH 1"s, "PAM"},
      {"PF\n1 1\n-1\n"s, "PFM"},
      {"8BPS\0\1"s, "PSD"},
      {"\0\0\1\0\1\0"s, "ICO"},
      {"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "SVG"},
      {"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- a drawing -->\n<svg/>", "SVG"},
      {"%PDF-1.7\n", "PDF"},
      {"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"},
      {"qoif\0\0\0\1"s, "QOI"},
      {"\x76\x2F\x31\x01\2\0\0\0"s, "OpenEXR"},
      {"#?RADIANCE\n", "Radiance HDR"},
      {"DDS |\0\0\0"s, "DDS"},
      {std::string(128, '\0') + "DICM", "DICOM"},
      {"RIFF\0\0\0\0AVI LIST"s, "AVI"},
      {"\x1A\x45\xDF\xA3\x01"s, "Matroska or WebM"},
      {std::string(18, '\0') + "TRUEVISION-XFILE.\0"s, "TGA"},
  }));
  CAPTURE(name);
  const auto refused = probe(bytes_of(file), kEnough);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnsupportedMediaType);
  CHECK(refused.error().message == name + " is not served: send JPEG, PNG, WebP, BMP, TIFF or PNM");
}

TEST_CASE("Probe: the limit counts pixels and is inclusive", "[model][unit]") {
  CHECK(probe(bytes_of(png(100, 100)), 10'000).ok());
  CHECK(error_of(png(100, 101), 10'000) == ErrorCode::kImageTooLarge);
  CHECK(error_of(png(0x7FFFFFFF, 0x7FFFFFFF)) == ErrorCode::kImageTooLarge);
  CHECK(error_of(jpeg(65'535, 65'535)) == ErrorCode::kImageTooLarge);
  CHECK(probe(bytes_of(png(65'535, 1)), kEnough).ok());
  CHECK(error_of(png(65'536, 1)) == ErrorCode::kImageTooLarge);
}

TEST_CASE("Probe: files that are cut short or altered never crash the probe", "[model][unit]") {
  std::mt19937 random(11);
  const std::vector<std::string> files{jpeg(640, 480, "\xFF\xE1"s + big(20, 2) + std::string(18, 'e')),
                                       png(640, 480),
                                       extended_webp(640, 480),
                                       bmp(2, 3, 24, 24),
                                       grey_tiff({{256, 3, 640}, {257, 4, 480}}),
                                       "P6 2 3 255\n" + std::string(18, 'x')};
  for (const auto& file : files) {
    for (std::size_t length = 0; length <= file.size(); ++length) {
      // The copy has its own memory block, so that a sanitizer sees a read past its end.
      const auto cut = file.substr(0, length);
      (void)probe(bytes_of(cut), kEnough);
    }
    for (int round = 0; round < 3'000; ++round) {
      auto altered = file;
      for (int i = 0; i < 3; ++i) altered[random() % altered.size()] = static_cast<char>(random());
      (void)probe(bytes_of(altered), kEnough);
    }
  }
}

TEST_CASE("Probe: real files of every kind have the expected sizes", "[model][unit][skips]") {
  const auto data = yolod::tests::test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  check_size(load(*data / "photos/dog.jpg"), Format::kJpeg, 768, 576);
  check_size(load(*data / "odd/hopper.png"), Format::kPng, 128, 128);
  check_size(load(*data / "odd/hopper.webp"), Format::kWebp, 128, 128);
  check_size(load(*data / "odd/hopper.bmp"), Format::kBmp, 128, 128);
  check_size(load(*data / "odd/hopper.tif"), Format::kTiff, 128, 128);
  check_size(load(*data / "odd/hopper.ppm"), Format::kPnm, 128, 128);
  check_size(load(*data / "odd/pil_sample_cmyk.jpg"), Format::kJpeg, 100, 100);
  check_size(load(*data / "odd/monkey16.pgm"), Format::kPnm, 149, 227);
  CHECK(error_of(load(*data / "odd/decompression_bomb.gif")) == ErrorCode::kUnsupportedMediaType);
  CHECK(error_of(load(*data / "odd/reallybig.bmp")) == ErrorCode::kInvalidImage);
}
