#include "app/http/body_upload.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace yolod::app::http {
namespace {

using common::Error;
using common::ErrorCode;

// If at least this much of a chunk is missing, the connection reads it directly into the room. A shorter rest goes
// through the buffer, together with the size line of the next chunk.
constexpr std::uint64_t kReadStraightBytes = 16 * 1024;

}  // namespace

BodyUpload::State BodyUpload::begin(const RequestHead& head, const Exchange::BodyRule& rule) {
  end();
  is_secret_ = rule.is_secret;
  received_bytes_ = 0;
  clock_.reset();
  if (head.chunked) {
    length_bytes_ = rule.limit_bytes;
    room_bytes_ = std::min(rule.first_room_bytes, length_bytes_);
    chunks_ = std::make_unique<ChunkedDecoder>(length_bytes_);
    return State::kRoom;
  }
  length_bytes_ = room_bytes_ = head.content_length;
  if (length_bytes_ == 0) return refuse({ErrorCode::kInvalidImage, "the request has no body"});
  if (length_bytes_ > rule.limit_bytes) {
    return refuse({ErrorCode::kBodyTooLarge, "the body is larger than this server accepts"});
  }
  return State::kRoom;
}

BodyUpload::State BodyUpload::refuse(Error error) {
  error_ = std::move(error);
  return State::kRefused;
}

void BodyUpload::end() {
  clock_.stop();
  room_ = {};
  chunks_.reset();
  error_.reset();
}

BodyUpload::State BodyUpload::use_room(std::span<std::byte> room, boost::beast::flat_buffer& buffer) {
  room_ = room;
  return take(buffer);
}

BodyUpload::State BodyUpload::take(boost::beast::flat_buffer& buffer) {
  const auto came = buffer.data();
  if (!chunks_) {
    const std::size_t taken = std::min<std::uint64_t>(came.size(), length_bytes_ - received_bytes_);
    if (taken != 0) std::memcpy(room_.data() + received_bytes_, came.data(), taken);
    if (is_secret_) explicit_bzero(came.data(), taken);
    buffer.consume(taken);
    return content_came(taken);
  }
  const auto [consumed, content] =
      chunks_->decode({static_cast<const char*>(came.data()), came.size()}, room_.subspan(received_bytes_));
  if (is_secret_) explicit_bzero(came.data(), consumed);
  buffer.consume(consumed);
  received_bytes_ += content;
  if (chunks_->state() != ChunkedDecoder::State::kMore) return chunks_ended();
  const std::uint64_t expected = chunks_->expected_content_bytes();
  if (expected != 0 && received_bytes_ == room_.size()) {
    room_bytes_ = length_bytes_;
    return State::kMoreRoom;
  }
  return expected >= kReadStraightBytes ? State::kContent : State::kFraming;
}

std::span<std::byte> BodyUpload::place(std::size_t most_bytes) const {
  const std::uint64_t expected = chunks_ ? chunks_->expected_content_bytes() : length_bytes_ - received_bytes_;
  return room_.subspan(received_bytes_,
                       std::min<std::uint64_t>({expected, room_.size() - received_bytes_, most_bytes}));
}

BodyUpload::State BodyUpload::content_came(std::size_t bytes) {
  received_bytes_ += bytes;
  if (chunks_) {
    chunks_->content_came(bytes);
    boost::beast::flat_buffer none;
    return take(none);
  }
  return received_bytes_ < length_bytes_ ? State::kContent : State::kComplete;
}

BodyUpload::State BodyUpload::chunks_ended() {
  switch (chunks_->state()) {
    case ChunkedDecoder::State::kMore:
    case ChunkedDecoder::State::kMalformed:
      return refuse({ErrorCode::kBadRequest, "the chunked body does not follow RFC 9112"});
    case ChunkedDecoder::State::kBodyTooLarge:
      return refuse({ErrorCode::kBodyTooLarge, "the body is larger than this server accepts"});
    case ChunkedDecoder::State::kTrailerTooLarge:
      return refuse({ErrorCode::kHeaderTooLarge, "the trailer fields are larger than 16 KiB"});
    case ChunkedDecoder::State::kDone: break;
  }
  if (received_bytes_ == 0) return refuse({ErrorCode::kInvalidImage, "the request has no body"});
  return State::kComplete;
}

}  // namespace yolod::app::http
