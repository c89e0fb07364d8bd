#include "app/api/oip/packed_head.hpp"

#include <algorithm>

namespace yolod::app::api::oip {
namespace {

using common::Error;
using common::ErrorCode;

constexpr int kAnyFormat = 15 + 32;  // zlib then recognizes gzip and zlib by the first bytes
constexpr std::size_t kAtOnceBytes = 16 * 1024;
// Blocks without content make a stream long although its text is short.
constexpr std::size_t kMostPackedBytes = 2 * PackedHead::kMostBytes;

Error cannot_unpack(std::string_view why) {
  return {ErrorCode::kBadRequest, "unable to decompress the request: " + std::string(why)};
}

}  // namespace

PackedHead::PackedHead(std::span<const std::byte> packed, std::optional<std::uint64_t> json_bytes)
    : left_(packed.first(std::min(packed.size(), kMostPackedBytes))), json_bytes_(json_bytes) {
  usable_ = inflateInit2(&stream_, kAnyFormat) == Z_OK;
}

PackedHead::~PackedHead() {
  if (usable_) inflateEnd(&stream_);
}

common::Outcome<bool> PackedHead::step(std::size_t budget_bytes) {
  if (!usable_) return Error{ErrorCode::kInternal, "no memory for the decompressor"};
  const std::size_t wanted = json_bytes_.value_or(kMostBytes + 1);
  if (json_bytes_.value_or(0) > kMostBytes) return cannot_unpack("its JSON is longer than 64 KiB");
  const std::size_t before = text_.size();
  text_.resize(std::min({wanted, before + budget_bytes, before + kAtOnceBytes}));
  const std::size_t given = std::min({left_.size(), budget_bytes, kAtOnceBytes});
  // The type says otherwise, but zlib does not write to its input.
  stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(left_.data()));
  stream_.avail_in = static_cast<uInt>(given);
  stream_.next_out = reinterpret_cast<Bytef*>(text_.data() + before);
  stream_.avail_out = static_cast<uInt>(text_.size() - before);
  const int result = inflate(&stream_, Z_NO_FLUSH);
  left_ = left_.subspan(given - stream_.avail_in);
  text_.resize(text_.size() - stream_.avail_out);
  // The worker reports what is wrong behind the JSON. Here it would depend on the size of a step whether it is found.
  if (json_bytes_ && text_.size() == *json_bytes_) return true;
  if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
    return cannot_unpack("the body is not gzip or zlib data");
  }
  if (!json_bytes_ && text_.size() > kMostBytes) {
    return cannot_unpack("its JSON is longer than 64 KiB: send the pictures as bytes after the JSON");
  }
  if (result == Z_STREAM_END) return json_bytes_ ? cannot_unpack("its JSON ends early") : common::Outcome<bool>(true);
  if (left_.empty() && stream_.avail_out != 0) return cannot_unpack("its JSON does not end within 128 KiB");
  return false;
}

}  // namespace yolod::app::api::oip
