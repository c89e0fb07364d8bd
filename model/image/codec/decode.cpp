#include "model/image/codec/decode.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "model/image/codec/codecs.hpp"
#include "model/image/codec/errors.hpp"
#include "model/image/upright.hpp"

namespace yolod::model::image {
namespace {

using codec::Probe;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::uint64_t kPixelBytes = 3;

std::uint64_t reduced(std::uint64_t side, std::uint64_t by) { return (side + by - 1) / by; }

// Returns 1, 2, 4 or 8.
unsigned reduction_for(const Probe& found, const std::optional<Size>& needed) {
  const bool is_large = found.format == codec::Format::kJpeg && found.width * found.height >= kReducedFromPixels;
  if (!needed || !is_large) return 1;
  // EXIF may turn the picture, so each of its sides must be large enough for both needed sides.
  const auto least = static_cast<std::uint64_t>(std::max(needed->width, needed->height)) * 3 / 2;
  const auto shorter = std::min(found.width, found.height);
  for (const unsigned by : {8U, 4U, 2U}) {
    if (shorter / by >= least) return by;
  }
  return 1;
}

// Returns the memory that coarse_jpeg needs: the blocks, and a copy of the file's data.
std::uint64_t coarse_bytes(const Probe& found, std::size_t file_bytes) {
  constexpr std::uint64_t kBytesOfBlock = 16;
  constexpr std::uint64_t kPixelsOfBlock = 64;
  return file_bytes + found.channels * kBytesOfBlock * (found.width * found.height / kPixelsOfBlock);
}

Picture picture_of(std::unique_ptr<std::uint8_t[]> bgr, const codec::Canvas& canvas, const Probe& found,
                   DecodeMemory::Share share) {
  Size stored{static_cast<int>(canvas.width()), static_cast<int>(canvas.height())};
  Size size{static_cast<int>(found.width), static_cast<int>(found.height)};
  if (is_transposed(found.orientation)) {
    std::swap(stored.width, stored.height);
    std::swap(size.width, size.height);
  }
  return {std::move(bgr), stored, size, std::move(share)};
}

}  // namespace

Picture::Picture(std::unique_ptr<std::uint8_t[]> bgr, Size stored, Size size, DecodeMemory::Share share)
    : share_(std::move(share)), bgr_(std::move(bgr)), stored_(stored), size_(size) {}

void Picture::make_grey() {
  // The factors 0.299, 0.587 and 0.114 in 15 bits; they add up to 1.
  constexpr std::uint32_t kRed = 9798;
  constexpr std::uint32_t kGreen = 19235;
  constexpr std::uint32_t kBlue = 3735;
  constexpr unsigned kBits = 15;
  const auto pixels = static_cast<std::size_t>(stored_.width) * static_cast<std::size_t>(stored_.height);
  std::uint8_t* pixel = bgr_.get();
  for (std::size_t i = 0; i < pixels; ++i, pixel += kPixelBytes) {
    const auto luma = (pixel[0] * kBlue + pixel[1] * kGreen + pixel[2] * kRed + (1U << (kBits - 1))) >> kBits;
    pixel[0] = pixel[1] = pixel[2] = static_cast<std::uint8_t>(luma);
  }
}

PixelView Picture::view() const {
  return {bgr_.get(), stored_.width, stored_.height, kPixelBytes * static_cast<std::size_t>(stored_.width)};
}

Outcome<Picture> decode(std::span<const std::byte> file, const DecodeLimits& limits, std::optional<Size> needed,
                        DecodeMemory* memory) {
  const auto found = codec::probe(file, limits.max_pixels);
  if (!found) return found.error();
  const auto reduction = reduction_for(*found, needed);
  const auto width = reduced(found->width, reduction);
  const auto height = reduced(found->height, reduction);
  const auto bytes = kPixelBytes * width * height;
  auto beside = found->working_bytes;
  if (reduction >= 4) beside = std::max(beside, coarse_bytes(*found, file.size()));
  // The turned picture needs memory beside the original, but the decoder's memory is free by then.
  if (is_transposed(found->orientation)) beside = std::max(beside, bytes);
  DecodeMemory::Share share;
  if (memory != nullptr) {
    // A picture that may need far more memory is decoded alone instead of being refused, because it probably needs
    // little.
    const auto at_most = std::min(memory->max_bytes(), bytes + found->possible_bytes);
    auto taken = memory->take(std::max(bytes + beside, at_most));
    if (!taken) return codec::out_of_memory();
    share = std::move(*taken);
  }
  try {
    codec::Budget budget(limits.max_time);
    auto bgr = std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(bytes));
    codec::Canvas canvas(bgr.get(), static_cast<std::size_t>(width), static_cast<std::size_t>(height));
    if (auto done = codec::decode(file, found->format, reduction, canvas, budget); !done) return done.error();
    if (!canvas.full()) return codec::invalid("the image is damaged: it has fewer rows than its header says");
    if (!make_upright(bgr, canvas.width(), canvas.height(), found->orientation, budget)) return codec::out_of_time();
    share.shrink_to(bytes);
    return picture_of(std::move(bgr), canvas, *found, std::move(share));
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kInternal, "no memory to decode an image of " + std::to_string(found->width) + " x " +
                                           std::to_string(found->height) + " pixels"};
  }
}

}  // namespace yolod::model::image
