#include "tests/unit/model/sample_pictures.hpp"

#include <cstdio>  // libjpeg's header needs <cstdio> first

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>
#include <webp/encode.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace yolod::tests {
namespace {

using Pixels = std::vector<std::uint8_t>;

// The pictures have slopes and edges, so that an encoder has details to encode and no two rows are equal.
std::uint8_t value_at(std::size_t x, std::size_t y, std::size_t c) {
  const std::size_t edge = (x / 9 + y / 7) % 2 * 40;
  return static_cast<std::uint8_t>(20 + (x * (c + 1) + y * (4 - c)) % 150 + edge);
}

Pixels drawn(std::size_t width, std::size_t height) {
  Pixels bgr;
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) bgr.push_back(value_at(x, y, c));
    }
  }
  return bgr;
}

Pixels to_rgb(Pixels pixels) {
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) std::swap(pixels[i], pixels[i + 2]);
  return pixels;
}

// Returns the green channel of `bgr` as a grey picture.
Pixels to_grey(const Pixels& bgr) {
  Pixels grey;
  for (std::size_t i = 0; i < bgr.size(); i += 3) grey.push_back(bgr[i + 1]);
  return grey;
}

Pixels grey_bgr(const Pixels& grey) {
  Pixels bgr;
  for (const auto value : grey) bgr.insert(bgr.end(), 3, value);
  return bgr;
}

// Packs the highest `bits` (1, 2 or 4) bits of each sample of `grey`. Each row takes whole bytes.
Pixels packed(const Pixels& grey, std::size_t width, unsigned bits) {
  const auto row_bytes = (width * bits + 7) / 8;
  Pixels out(row_bytes * (grey.size() / width));
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const auto bit = i % width * bits;
    out[i / width * row_bytes + bit / 8] |= static_cast<std::uint8_t>(grey[i] >> (8 - bits) << (8 - bits - bit % 8));
  }
  return out;
}

// Keeps the highest `bits` bits of each sample and scales them to 0..255 again.
Pixels coarse(Pixels grey, unsigned bits) {
  const unsigned most = (1U << bits) - 1;
  for (auto& value : grey) value = static_cast<std::uint8_t>((value >> (8 - bits)) * 255U / most);
  return grey;
}

// Widens each sample to 16 bits. The decoder must ignore the lower byte.
Pixels deep(const Pixels& samples, bool big_endian) {
  Pixels out;
  for (const auto sample : samples) {
    out.push_back(big_endian ? sample : 0x5A);
    out.push_back(big_endian ? 0x5A : sample);
  }
  return out;
}

// Inserts an extra sample after every `each` samples.
Pixels with_extra(const Pixels& samples, std::size_t each) {
  Pixels out;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    out.push_back(samples[i]);
    if (i % each == each - 1) out.push_back(static_cast<std::uint8_t>(i * 5));
  }
  return out;
}

std::string text(const Pixels& bytes) { return {bytes.begin(), bytes.end()}; }

std::string little(std::uint64_t value, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
  return out;
}

void append_png(png_structp png, png_bytep bytes, std::size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
}
void flush_nothing(png_structp /*png*/) {}

// Returns the entry at index i of every palette in this file.
std::array<std::uint8_t, 3> palette_rgb(std::size_t i) {
  return {static_cast<std::uint8_t>(i * 17), static_cast<std::uint8_t>(255 - i * 9), static_cast<std::uint8_t>(i * 40)};
}

// The memory file that libtiff writes to.
struct TiffFile {
  std::string bytes;
  std::uint64_t at{0};

  static TiffFile& of(thandle_t handle) { return *static_cast<TiffFile*>(handle); }
  static tmsize_t read(thandle_t handle, void* into, tmsize_t count) {
    auto& file = of(handle);
    const auto given = std::min<std::uint64_t>(static_cast<std::uint64_t>(count), file.bytes.size() - file.at);
    std::memcpy(into, file.bytes.data() + file.at, given);
    file.at += given;
    return static_cast<tmsize_t>(given);
  }
  static tmsize_t write(thandle_t handle, void* from, tmsize_t count) {
    auto& file = of(handle);
    const auto size = static_cast<std::uint64_t>(count);
    if (file.bytes.size() < file.at + size) file.bytes.resize(file.at + size);
    std::memcpy(file.bytes.data() + file.at, from, size);
    file.at += size;
    return count;
  }
  static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    auto& file = of(handle);
    file.at = offset + (whence == SEEK_CUR ? file.at : whence == SEEK_END ? file.bytes.size() : 0);
    return file.at;
  }
  static int close(thandle_t /*handle*/) { return 0; }
  static toff_t size(thandle_t handle) { return of(handle).bytes.size(); }
};

struct TiffKind {
  unsigned compression{COMPRESSION_NONE};
  unsigned photometric{PHOTOMETRIC_RGB};
  unsigned samples{3};
  unsigned bits{8};
  unsigned rows_per_strip{16};
  unsigned tile{0};  // the side of a tile
  bool planar{false};
  bool predictor{false};
  bool big_endian{false};
  unsigned orientation{1};
};

// `data` holds the rows of the picture as the file stores them, in this machine's byte order. A planar picture is
// stored plane by plane.
std::string make_tiff(const TiffKind& kind, std::size_t width, std::size_t height, const Pixels& data) {
  TiffFile file;
  auto* options = TIFFOpenOptionsAlloc();
  TIFFOpenOptionsSetWarningHandlerExtR(
      options, [](TIFF*, void*, const char*, const char*, va_list) { return 1; }, nullptr);
  auto* tiff = TIFFClientOpenExt("made", kind.big_endian ? "wb" : "wl", &file, TiffFile::read, TiffFile::write,
                                 TiffFile::seek, TiffFile::close, TiffFile::size, nullptr, nullptr, options);
  TIFFOpenOptionsFree(options);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(width));
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(height));
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, kind.compression);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, kind.photometric);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, kind.samples);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, kind.bits);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, kind.planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, kind.orientation);
  const bool is_rgb = kind.photometric == PHOTOMETRIC_RGB;
  const bool has_extra = (is_rgb && kind.samples == 4) || (kind.photometric <= 1 && kind.samples == 2);
  std::uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
  if (has_extra) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha);
  if (kind.photometric == PHOTOMETRIC_PALETTE) {
    std::array<std::vector<std::uint16_t>, 3> map;
    for (std::size_t i = 0; i < std::size_t{1} << kind.bits; ++i) {
      const auto rgb = palette_rgb(i);
      for (std::size_t c = 0; c < 3; ++c) map[c].push_back(static_cast<std::uint16_t>(rgb[c] << 8U | 0x33U));
    }
    TIFFSetField(tiff, TIFFTAG_COLORMAP, map[0].data(), map[1].data(), map[2].data());
  }
  if (kind.predictor) TIFFSetField(tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
  if (kind.compression == COMPRESSION_JPEG) {
    TIFFSetField(tiff, TIFFTAG_JPEGQUALITY, 95);
    if (kind.photometric == PHOTOMETRIC_YCBCR) TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  }
  const std::size_t planes = kind.planar ? kind.samples : 1;
  const std::size_t pixel_bits = kind.bits * (kind.planar ? 1 : kind.samples);
  const auto row_bytes = (width * pixel_bits + 7) / 8;
  const auto row_of = [&](std::size_t plane, std::size_t y) {
    return const_cast<std::uint8_t*>(data.data()) + (plane * height + y) * row_bytes;
  };
  if (kind.tile != 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, kind.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, kind.tile);
    const auto tile_row = kind.tile * pixel_bits / 8;
    for (std::size_t p = 0; p < planes; ++p) {
      for (std::size_t top = 0; top < height; top += kind.tile) {
        for (std::size_t left = 0; left < width; left += kind.tile) {
          Pixels tile(tile_row * kind.tile, 0x77);
          for (std::size_t y = top; y < std::min<std::size_t>(height, top + kind.tile); ++y) {
            const auto first = left * pixel_bits / 8;
            std::memcpy(tile.data() + (y - top) * tile_row, row_of(p, y) + first,
                        std::min<std::size_t>(tile_row, row_bytes - first));
          }
          TIFFWriteTile(tiff, tile.data(), static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(top), 0,
                        static_cast<std::uint16_t>(p));
        }
      }
    }
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, kind.rows_per_strip);
    for (std::size_t p = 0; p < planes; ++p) {
      for (std::size_t y = 0; y < height; ++y) {
        // libtiff may overwrite the row that it receives.
        Pixels row(row_of(p, y), row_of(p, y) + row_bytes);
        TIFFWriteScanline(tiff, row.data(), static_cast<std::uint32_t>(y), static_cast<std::uint16_t>(p));
      }
    }
  }
  TIFFClose(tiff);
  return file.bytes;
}

std::string bmp_headers(std::size_t width, std::int64_t height, unsigned bits, unsigned compression,
                        const std::string& behind, unsigned entries = 0, std::size_t info_size = 40) {
  const auto pixels_at = 14 + info_size + behind.size();
  return "BM" + little(0, 8) + little(pixels_at, 4) + little(info_size, 4) + little(width, 4) +
         little(static_cast<std::uint64_t>(height), 4) + little(1, 2) + little(bits, 2) + little(compression, 4) +
         little(0, 12) + little(entries, 4) + little(0, 4) + std::string(info_size - 40, '\0') + behind;
}

// Pads each row to a multiple of four bytes. The lowest row comes first unless `top_down` is set.
std::string bmp_rows(const Pixels& rows, std::size_t height, bool top_down = false) {
  const auto row_bytes = rows.size() / height;
  std::string out;
  for (std::size_t i = 0; i < height; ++i) {
    const auto y = top_down ? i : height - 1 - i;
    out.append(reinterpret_cast<const char*>(rows.data()) + y * row_bytes, row_bytes);
    out.append((4 - row_bytes % 4) % 4, '\0');
  }
  return out;
}

std::string bmp_palette(std::size_t entries) {
  std::string out;
  for (std::size_t i = 0; i < entries; ++i) {
    const auto [r, g, b] = palette_rgb(i);
    out += text({b, g, r, 0});
  }
  return out;
}

Pixels from_palette(const Pixels& indices) {
  Pixels bgr;
  for (const auto index : indices) {
    const auto [r, g, b] = palette_rgb(index);
    bgr.insert(bgr.end(), {b, g, r});
  }
  return bgr;
}

// Encodes RLE8 or RLE4 data with runs, single pixels and ends of lines.
std::string run_length_coded(const Pixels& indices, std::size_t width, bool is_rle4) {
  std::string out;
  const auto height = indices.size() / width;
  for (std::size_t i = 0; i < height; ++i) {
    const auto* row = indices.data() + (height - 1 - i) * width;
    for (std::size_t x = 0; x < width;) {
      if (x % 3 == 0 && x + 5 <= width) {  // five literal pixels
        out += text({0, 5});
        if (is_rle4) {
          const auto pair = [&](std::size_t at) {
            return static_cast<std::uint8_t>(row[at] << 4U | (at + 1 < x + 5 ? row[at + 1] : 0U));
          };
          out += text({pair(x), pair(x + 2), pair(x + 4), 0});
        } else {
          out += text({row[x], row[x + 1], row[x + 2], row[x + 3], row[x + 4], 0});
        }
        x += 5;
        continue;
      }
      std::size_t count = 1;
      while (x + count < width && row[x + count] == row[x]) ++count;
      const auto value = is_rle4 ? static_cast<std::uint8_t>(row[x] << 4U | row[x]) : row[x];
      out += text({static_cast<std::uint8_t>(count), value});
      x += count;
    }
    out += text({0, 0});
  }
  return out + text({0, 1});
}

class Samples {
 public:
  Samples(std::size_t width, std::size_t height) : width_(width), height_(height) {}

  std::vector<SamplePicture> run() {
    add_jpeg();
    add_png();
    add_webp();
    add_tiff();
    add_bmp();
    add_pnm();
    return std::move(all_);
  }

 private:
  void add(std::string name, std::string file, Pixels bgr, int furthest = 0) {
    all_.push_back({std::move(name), std::move(file), width_, height_, std::move(bgr), furthest});
  }

  void add_jpeg() {
    // The largest allowed difference between a decoded and an encoded value. The encoder halves the colour planes in
    // size, unless the sampling is 1.
    constexpr int kWholeColours = 24;
    constexpr int kHalvedColours = 90;
    add("sequential.jpg", make_jpeg({.width = width_, .height = height_}), bgr_, kHalvedColours);
    add("full.jpg", make_jpeg({.width = width_, .height = height_, .sampling = 1}), bgr_, kWholeColours);
    add("progressive.jpg", make_jpeg({.width = width_, .height = height_, .progressive = true, .sampling = 1}), bgr_,
        kWholeColours);
    add("scans.jpg", make_jpeg({.width = width_, .height = height_, .separate_scans = true, .sampling = 1}), bgr_,
        kWholeColours);
    add("restarts.jpg", make_jpeg({.width = width_, .height = height_, .sampling = 1, .restart_rows = 1}), bgr_,
        kWholeColours);
    add("rgb.jpg", make_jpeg({.width = width_, .height = height_, .as_rgb = true, .sampling = 1}), bgr_, kWholeColours);
    add("grey.jpg", make_jpeg({.width = width_, .height = height_, .components = 1}), grey_bgr(grey_), kWholeColours);
    add("cmyk.jpg", make_jpeg({.width = width_, .height = height_, .components = 4, .sampling = 1}), cmyk_bgr(),
        kWholeColours);
  }

  // The pixels that a decoder must make of the CMYK samples (255 - red, 255 - green, 255 - blue, 32). The file
  // stores the samples inverted.
  [[nodiscard]] Pixels cmyk_bgr() const {
    Pixels out = bgr_;
    for (auto& value : out) value = static_cast<std::uint8_t>((value * 223U + 127) / 255);
    return out;
  }

  void add_png() {
    const auto rgb = to_rgb(bgr_);
    for (const bool interlaced : {false, true}) {
      const std::string kind = interlaced ? "interlaced " : "";
      add(kind + "rgb.png", make_png(width_, height_, 8, 2, interlaced, rgb), bgr_);
      add(kind + "rgb16.png", make_png(width_, height_, 16, 2, interlaced, deep(rgb, true)), bgr_);
      add(kind + "rgba.png", make_png(width_, height_, 8, 6, interlaced, with_extra(rgb, 3)), bgr_);
      add(kind + "grey.png", make_png(width_, height_, 8, 0, interlaced, grey_), grey_bgr(grey_));
      add(kind + "grey and alpha.png", make_png(width_, height_, 8, 4, interlaced, with_extra(grey_, 1)),
          grey_bgr(grey_));
      for (const unsigned bits : {1U, 2U, 4U}) {
        add(kind + "grey" + std::to_string(bits) + ".png",
            make_png(width_, height_, static_cast<int>(bits), 0, interlaced, packed(grey_, width_, bits)),
            grey_bgr(coarse(grey_, bits)));
      }
      add(kind + "palette.png", make_png(width_, height_, 4, 3, interlaced, packed(shifted(4), width_, 4)),
          from_palette(indices(4)));
    }
  }

  // indices() returns the highest `bits` bits of each grey value. shifted() returns them as the highest bits of a
  // byte.
  [[nodiscard]] Pixels indices(unsigned bits) const {
    Pixels out = grey_;
    for (auto& value : out) value = static_cast<std::uint8_t>(value >> (8 - bits));
    return out;
  }
  [[nodiscard]] Pixels shifted(unsigned bits) const {
    Pixels out = indices(bits);
    for (auto& value : out) value = static_cast<std::uint8_t>(value << (8 - bits));
    return out;
  }

  void add_webp() {
    add("lossless.webp", make_webp(width_, height_, bgr_, true), bgr_);
    add("lossy.webp", make_webp(width_, height_, bgr_, false), bgr_, 110);
  }

  void add_tiff() {
    const auto rgb = to_rgb(bgr_);
    const auto tiff = [&](const std::string& name, const TiffKind& kind, const Pixels& data, const Pixels& bgr,
                          int furthest = 0) { add(name, make_tiff(kind, width_, height_, data), bgr, furthest); };
    tiff("rgb.tif", {}, rgb, bgr_);
    tiff("lzw.tif", {.compression = COMPRESSION_LZW, .predictor = true}, rgb, bgr_);
    tiff("deflate.tif", {.compression = COMPRESSION_ADOBE_DEFLATE}, rgb, bgr_);
    tiff("old deflate.tif", {.compression = COMPRESSION_DEFLATE}, rgb, bgr_);
    tiff("packbits.tif", {.compression = COMPRESSION_PACKBITS, .big_endian = true}, rgb, bgr_);
    tiff("rgba.tif", {.samples = 4}, with_extra(rgb, 3), bgr_);
    tiff("rgb16.tif", {.compression = COMPRESSION_LZW, .bits = 16, .big_endian = true}, deep(rgb, false), bgr_);
    tiff("grey.tif", {.photometric = PHOTOMETRIC_MINISBLACK, .samples = 1}, grey_, grey_bgr(grey_));
    tiff("grey and alpha.tif", {.photometric = PHOTOMETRIC_MINISBLACK, .samples = 2}, with_extra(grey_, 1),
         grey_bgr(grey_));
    auto inverted = grey_;
    for (auto& value : inverted) value = static_cast<std::uint8_t>(255 - value);
    tiff("white is zero.tif", {.photometric = PHOTOMETRIC_MINISWHITE, .samples = 1}, inverted, grey_bgr(grey_));
    for (const unsigned bits : {1U, 2U, 4U}) {
      tiff("grey" + std::to_string(bits) + ".tif", {.photometric = PHOTOMETRIC_MINISBLACK, .samples = 1, .bits = bits},
           packed(grey_, width_, bits), grey_bgr(coarse(grey_, bits)));
    }
    for (const unsigned fax : {COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4}) {
      tiff("fax " + std::to_string(fax) + ".tif",
           {.compression = fax, .photometric = PHOTOMETRIC_MINISBLACK, .samples = 1, .bits = 1},
           packed(grey_, width_, 1), grey_bgr(coarse(grey_, 1)));
    }
    tiff("palette.tif", {.photometric = PHOTOMETRIC_PALETTE, .samples = 1, .bits = 4}, packed(shifted(4), width_, 4),
         from_palette(indices(4)));
    tiff("cmyk.tif", {.compression = COMPRESSION_LZW, .photometric = PHOTOMETRIC_SEPARATED, .samples = 4}, cmyk(),
         cmyk_bgr());
    Pixels planes;
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t i = c; i < rgb.size(); i += 3) planes.push_back(rgb[i]);
    }
    tiff("planar.tif", {.compression = COMPRESSION_LZW, .planar = true}, planes, bgr_);
    tiff("tiles.tif", {.compression = COMPRESSION_ADOBE_DEFLATE, .tile = 16}, rgb, bgr_);
    tiff("planar tiles.tif", {.compression = COMPRESSION_LZW, .tile = 32, .planar = true}, planes, bgr_);
    tiff("jpeg.tif", {.compression = COMPRESSION_JPEG, .photometric = PHOTOMETRIC_YCBCR}, rgb, bgr_, 90);
    tiff("rgb jpeg.tif", {.compression = COMPRESSION_JPEG}, rgb, bgr_, 16);
  }

  [[nodiscard]] Pixels cmyk() const {
    Pixels out;
    for (std::size_t i = 0; i < bgr_.size(); i += 3) {
      for (std::size_t c = 0; c < 3; ++c) out.push_back(static_cast<std::uint8_t>(255 - bgr_[i + 2 - c]));
      out.push_back(32);
    }
    return out;
  }

  void add_bmp() {
    add("24.bmp", bmp_headers(width_, height_, 24, 0, "") + bmp_rows(bgr_, height_), bgr_);
    add("top down.bmp",
        bmp_headers(width_, -static_cast<std::int64_t>(height_), 24, 0, "", 0, 124) + bmp_rows(bgr_, height_, true),
        bgr_);
    add("32.bmp", bmp_headers(width_, height_, 32, 0, "") + bmp_rows(with_extra(bgr_, 3), height_), bgr_);
    const auto rgbx = with_extra(to_rgb(bgr_), 3);
    add("masks.bmp",
        bmp_headers(width_, height_, 32, 3, little(0xFF, 4) + little(0xFF00, 4) + little(0xFF0000, 4)) +
            bmp_rows(rgbx, height_),
        bgr_);
    Pixels words;
    Pixels five_bits;
    for (std::size_t i = 0; i < bgr_.size(); i += 3) {
      const unsigned word = bgr_[i] >> 3U | (bgr_[i + 1] >> 3U) << 5U | (bgr_[i + 2] >> 3U) << 10U;
      words.insert(words.end(), {static_cast<std::uint8_t>(word), static_cast<std::uint8_t>(word >> 8U)});
      for (std::size_t c = 0; c < 3; ++c) {
        const unsigned five = bgr_[i + c] >> 3U;
        five_bits.push_back(static_cast<std::uint8_t>(five << 3U | five >> 2U));
      }
    }
    add("16.bmp", bmp_headers(width_, height_, 16, 0, "") + bmp_rows(words, height_), five_bits);
    for (const unsigned bits : {1U, 4U}) {
      add(std::to_string(bits) + ".bmp",
          bmp_headers(width_, height_, bits, 0, bmp_palette(std::size_t{1} << bits)) +
              bmp_rows(packed(shifted(bits), width_, bits), height_),
          from_palette(indices(bits)));
    }
    const auto of_eight = indices(4);
    add("8.bmp", bmp_headers(width_, height_, 8, 0, bmp_palette(16), 16) + bmp_rows(of_eight, height_),
        from_palette(of_eight));
    add("rle8.bmp", bmp_headers(width_, height_, 8, 1, bmp_palette(16), 16) + run_length_coded(of_eight, width_, false),
        from_palette(of_eight));
    add("rle4.bmp", bmp_headers(width_, height_, 4, 2, bmp_palette(16)) + run_length_coded(of_eight, width_, true),
        from_palette(of_eight));
  }

  void add_pnm() {
    const auto rgb = to_rgb(bgr_);
    const std::string size = std::to_string(width_) + " " + std::to_string(height_) + "\n";
    add("raw.ppm", "P6\n" + size + "255\n" + text(rgb), bgr_);
    add("raw16.ppm", "P6\n" + size + "65535\n" + text(deep(rgb, true)), bgr_);
    add("raw.pgm", "P5\n" + size + "255\n" + text(grey_), grey_bgr(grey_));
    auto bits = grey_;
    std::string plain_bits;
    std::string plain;
    for (const auto value : rgb) plain += std::to_string(value) + (plain.size() % 7 == 0 ? "\n" : " ");
    for (auto& value : bits) {
      plain_bits += value >= 128 ? '0' : '1';
      value = value >= 128 ? 0 : 255;
    }
    add("raw.pbm", "P4\n" + size + text(packed(bits, width_, 1)), grey_bgr(coarse(grey_, 1)));
    add("plain.ppm", "P3\n# plain\n" + size + "255\n" + plain, bgr_);
    add("plain.pbm", "P1\n" + size + plain_bits + "\n", grey_bgr(coarse(grey_, 1)));
  }

  std::size_t width_;
  std::size_t height_;
  Pixels bgr_{drawn(width_, height_)};
  Pixels grey_{to_grey(bgr_)};
  std::vector<SamplePicture> all_;
};

}  // namespace

std::string make_jpeg(const JpegKind& kind) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &out, &size);
  info.image_width = static_cast<JDIMENSION>(kind.width);
  info.image_height = static_cast<JDIMENSION>(kind.height);
  info.input_components = kind.components;
  info.in_color_space = kind.components == 1 ? JCS_GRAYSCALE : kind.components == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&info);
  if (kind.as_rgb) jpeg_set_colorspace(&info, JCS_RGB);
  jpeg_set_quality(&info, kind.quality, TRUE);
  if (kind.components > 1) info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = kind.sampling;
  info.restart_in_rows = kind.restart_rows;
  info.arith_code = kind.arithmetic ? TRUE : FALSE;
  std::array<jpeg_scan_info, 3> scans{};
  if (kind.separate_scans) {
    for (int i = 0; i < 3; ++i) {
      auto& scan = scans[static_cast<std::size_t>(i)];
      scan.comps_in_scan = 1;
      scan.component_index[0] = i;
      scan.Se = DCTSIZE2 - 1;
    }
    info.scan_info = scans.data();
    info.num_scans = 3;
  }
  if (kind.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  Pixels row(kind.width * static_cast<std::size_t>(kind.components));
  for (std::size_t y = 0; y < kind.height; ++y) {
    for (std::size_t x = 0; x < kind.width; ++x) {
      if (kind.components == 1) row[x] = value_at(x, y, 1);
      if (kind.components == 3) {
        for (std::size_t c = 0; c < 3; ++c) row[3 * x + c] = value_at(x, y, 2 - c);
      }
      if (kind.components == 4) {
        // Adobe stores CMYK inverted: a sample is the amount of light, not of ink.
        for (std::size_t c = 0; c < 3; ++c) row[4 * x + c] = value_at(x, y, 2 - c);
        row[4 * x + 3] = 223;
      }
    }
    auto* line = row.data();
    jpeg_write_scanlines(&info, &line, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string file(reinterpret_cast<const char*>(out), size);
  std::free(out);
  return file;
}

std::string make_png(std::size_t width, std::size_t height, int depth, int colour_type, bool interlaced,
                     const std::vector<std::uint8_t>& data) {
  std::string file;
  auto* png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  auto* info = png_create_info_struct(png);
  png_set_write_fn(png, &file, append_png, flush_nothing);
  png_set_compression_level(png, 1);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), depth, colour_type,
               interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (colour_type == PNG_COLOR_TYPE_PALETTE) {
    std::vector<png_color> palette;
    for (std::size_t i = 0; i < std::size_t{1} << static_cast<unsigned>(depth); ++i) {
      const auto [r, g, b] = palette_rgb(i);
      palette.push_back({r, g, b});
    }
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  }
  png_write_info(png, info);
  const auto row_bytes = data.size() / height;
  std::vector<png_bytep> rows;
  for (std::size_t y = 0; y < height; ++y) rows.push_back(const_cast<png_bytep>(data.data()) + y * row_bytes);
  png_write_image(png, rows.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

std::string make_webp(std::size_t width, std::size_t height, const std::vector<std::uint8_t>& bgr, bool lossless) {
  std::uint8_t* out = nullptr;
  const auto sides = [&](auto encode, auto... more) {
    return encode(bgr.data(), static_cast<int>(width), static_cast<int>(height), static_cast<int>(3 * width), more...,
                  &out);
  };
  const auto size = lossless ? sides(WebPEncodeLosslessBGR) : sides(WebPEncodeBGR, 95.0F);
  std::string file(reinterpret_cast<const char*>(out), size);
  WebPFree(out);
  return file;
}

const std::vector<SamplePicture>& sample_pictures() {
  static const auto all = make_sample_pictures(61, 47);
  return all;
}

std::vector<SamplePicture> make_sample_pictures(std::size_t width, std::size_t height) {
  return Samples(width, height).run();
}

std::vector<SamplePicture> large_pictures() {
  constexpr std::size_t kLarge = 2000;
  const auto bgr = drawn(kLarge, kLarge);
  const auto rgb = to_rgb(bgr);
  const std::string size = std::to_string(kLarge) + " " + std::to_string(kLarge) + "\n";
  std::vector<SamplePicture> all;
  const auto add = [&](const char* name, std::string file) {
    all.push_back({name, std::move(file), kLarge, kLarge, {}});
  };
  add("large.jpg", make_jpeg({.width = kLarge, .height = kLarge}));
  add("large progressive.jpg", make_jpeg({.width = kLarge, .height = kLarge, .progressive = true}));
  add("large.png", make_png(kLarge, kLarge, 8, 2, false, rgb));
  add("large interlaced.png", make_png(kLarge, kLarge, 8, 2, true, rgb));
  add("large lossy.webp", make_webp(kLarge, kLarge, bgr, false));
  add("large.tif", make_tiff({.compression = COMPRESSION_LZW, .rows_per_strip = 64}, kLarge, kLarge, rgb));
  add("large strip.tif", make_tiff({.compression = COMPRESSION_LZW, .rows_per_strip = kLarge}, kLarge, kLarge, rgb));
  add("large.bmp", bmp_headers(kLarge, kLarge, 24, 0, "") + bmp_rows(bgr, kLarge));
  add("large.ppm", "P6\n" + size + "255\n" + text(rgb));
  return all;
}

}  // namespace yolod::tests
