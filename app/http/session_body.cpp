// The part of a session that reads bodies.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "app/http/characters.hpp"
#include "app/http/parameters.hpp"
#include "app/http/server.hpp"
#include "app/http/session.hpp"
#include "common/await.hpp"
#include "common/awake_clock.hpp"
#include "common/fault_point.hpp"
#include "common/text.hpp"

namespace yolod::app {

namespace asio = boost::asio;
using boost::system::error_code;
using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

namespace {

// What one turn of the event loop may look at of one connection's body: some 0.1 ms.
constexpr std::size_t kScannedAtOnceBytes = 64 * 1024;
// Of a chunked body: what is read where the next chunk's size is to come, and the room that it gets at first.
constexpr std::size_t kChunkReadBytes = 16 * 1024;
constexpr std::uint64_t kFirstRoomPart = 128;  // of what unfinished bodies may hold
constexpr std::uint64_t kLeastFirstRoomBytes = 64 * 1024;
constexpr std::uint64_t kMostFirstRoomBytes = 1U << 20U;
// How long a chunked body that has filled its first room waits for more. Meanwhile it holds what others may wait for.
constexpr std::chrono::milliseconds kGrowPatience{2000};

}  // namespace

Outcome<void> Session::check_predict(const RequestHead& head) {
  if (auto within = limit_to(*model_->config, options_); !within) return within;
  if (!head.content_encoding.empty() && !equal_ignoring_case(head.content_encoding, "identity")) {
    constexpr std::size_t kLongestShown = 40;
    return Error{ErrorCode::kUnsupportedMediaType, "the Content-Encoding " +
                                                       common::printable(head.content_encoding, kLongestShown) +
                                                       " is not read, send the picture as it is"};
  }
  boundary_.reset();
  if (is_multipart(head.content_type)) {
    boundary_ = multipart_boundary(head.content_type);
    if (!boundary_) return Error{ErrorCode::kBadRequest, "multipart: no valid boundary"};
  } else if (is_media_type(head.content_type, "application/json")) {
    if (model_->config->task == common::Task::kTensor) {
      return Error{ErrorCode::kUnsupportedMediaType, "this model takes tensors: send .npy or .npz as the body"};
    }
    options_.json = true;  // its worker takes the picture out
  }
  return model_->dispatcher.admit(urgency_);
}

Session::Step Session::begin_body(const RequestHead& head) {
  if (const auto fits = check_predict(head); !fits) return refuse(fits.error(), BodyState::kUnread);
  body_length_ = head.content_length;
  body_received_ = 0;
  chunks_.reset();
  if (head.chunked) {
    body_length_ = body_limit();  // at most; kept, since a reload may change the limit
    chunks_ = std::make_unique<ChunkedDecoder>(body_length_);
  } else if (body_length_ == 0) {
    return refuse({ErrorCode::kInvalidImage, "the request has no body"}, BodyState::kUnread);
  } else if (body_length_ > body_limit()) {
    return refuse({ErrorCode::kBodyTooLarge, "the body is larger than this server takes"}, BodyState::kUnread);
  }
  if (buffer_.size() != 0) return make_room();
  if (head.expects_continue) return Step::kSayContinue;
  return await_body();
}

asio::awaitable<Session::Step> Session::say_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  set_deadline(config_.write_timeout);
  auto [failure, bytes] = co_await asio::async_write(socket_, asio::buffer(kContinue), common::kAwait);
  no_deadline();
  co_return failure ? drop_body(read_failure()) : await_body();
}

Session::Step Session::await_body() {
  begin_upload();
  occupy(Occupation::kUnfinished, upload_began_);
  return Step::kAwaitBody;
}

Session::Step Session::body_began(error_code failure) {
  end_upload();
  occupy(Occupation::kBusy, AwakeClock::now());
  return failure ? drop_body(read_failure()) : make_room();
}

Session::Step Session::make_room() {
  auto room = service_.body_room().try_reserve(first_room_bytes());
  return room ? room_came(std::move(room)) : Step::kAwaitRoom;
}

Session::Step Session::room_came(std::optional<ipc::ArenaBlock> room) {
  if (!room) return drop_body(no_room());
  room_ = std::move(*room);
  return chunks_ ? Step::kReadChunks : fill_room();
}

// With what has come; most often that is all.
Session::Step Session::fill_room() {
  const std::span<std::byte> place = room_.bytes();
  const std::size_t taken = std::min<std::uint64_t>(buffer_.size(), body_length_);
  if (taken != 0) std::memcpy(place.data(), buffer_.data().data(), taken);
  buffer_.consume(taken);
  body_received_ = taken;
  if (body_received_ == body_length_) return body_complete();
  error_code failure;
  const auto left = std::min<std::uint64_t>(body_length_ - taken, kBytesAtOnce);
  const std::size_t bytes = socket_.read_some(asio::buffer(place.data() + taken, left), failure);
  const Step next = failure == asio::error::would_block ? Step::kReadBody : body_came(failure, bytes);
  if (next == Step::kReadBody) begin_upload();
  return next;
}

Session::Step Session::body_came(error_code failure, std::size_t bytes) {
  if (failure) return drop_body(read_failure());
  body_received_ += bytes;
  common::reach(common::FaultPoint::kFrontEndReadSome);
  return body_received_ < body_length_ ? Step::kReadBody : body_complete();
}

asio::awaitable<Session::Step> Session::read_chunks() {
  begin_upload();
  for (;;) {
    const auto came = buffer_.data();
    const auto [consumed, content] =
        chunks_->decode({static_cast<const char*>(came.data()), came.size()}, room_.bytes().subspan(body_received_));
    buffer_.consume(consumed);
    body_received_ += content;
    if (chunks_->state() != ChunkedDecoder::State::kMore) co_return chunks_ended();
    const std::uint64_t expected = chunks_->expected_content_bytes();
    const std::uint64_t place_left = room_.bytes().size() - body_received_;
    if (expected != 0 && place_left == 0) {
      if (!co_await grow_room()) co_return drop_body(no_room());
    } else if (expected >= kChunkReadBytes) {  // straight to its place
      const auto place = asio::buffer(room_.bytes().data() + body_received_,
                                      std::min<std::uint64_t>({expected, place_left, kBytesAtOnce}));
      auto [failure, bytes] = co_await socket_.async_read_some(place, common::kAwait);
      if (failure) co_return drop_body(read_failure());
      chunks_->content_came(bytes);
      body_received_ += bytes;
    } else {
      auto [failure, bytes] = co_await socket_.async_read_some(buffer_.prepare(kChunkReadBytes), common::kAwait);
      if (failure) co_return drop_body(read_failure());
      buffer_.commit(bytes);
    }
  }
}

// The time that it waits here is the server's, not the client's.
asio::awaitable<bool> Session::grow_room() {
  const auto began = AwakeClock::now();
  const auto deadline = std::exchange(deadline_, AwakeClock::time_point::max());
  uploading_ = false;
  // What it has keeps its place, and is no part of what unfinished bodies may hold: else a body nearly as large as that
  // would wait for its own first piece to go.
  room_.end_upload();
  auto room = co_await service_.body_room().reserve(
      body_length_, std::min<std::chrono::milliseconds>(room_patience(), kGrowPatience));
  if (!room) co_return false;
  std::memcpy(room->bytes().data(), room_.bytes().data(), body_received_);
  room_ = std::move(*room);
  const auto now = AwakeClock::now();
  upload_began_ += now - began;
  deadline_ = deadline + (now - began);
  upload_checked_ = now;
  uploading_ = true;
  co_return true;
}

Session::Step Session::chunks_ended() {
  switch (chunks_->state()) {
    case ChunkedDecoder::State::kMore:
    case ChunkedDecoder::State::kMalformed:
      return drop_body({ErrorCode::kBadRequest, "the chunked body is not as RFC 9112 has it"});
    case ChunkedDecoder::State::kBodyTooLarge:
      return drop_body({ErrorCode::kBodyTooLarge, "the body is larger than this server takes"});
    case ChunkedDecoder::State::kTrailerTooLarge:
      return drop_body({ErrorCode::kHeaderTooLarge, "the trailer fields are larger than 16 KiB"});
    case ChunkedDecoder::State::kDone: break;
  }
  if (body_received_ == 0) return drop_body({ErrorCode::kInvalidImage, "the request has no body"});
  room_.shrink(body_received_);
  return body_complete();
}

Session::Step Session::body_complete() {
  end_upload();
  chunks_.reset();
  room_.end_upload();
  if (!boundary_) return image_found(room_.bytes());
  form_ = std::make_unique<MultipartScanner>(room_.bytes(), *boundary_, "image", predict_parameters());
  return scan_form();
}

Session::Step Session::scan_form() {
  if (!form_->step(kScannedAtOnceBytes)) return Step::kScanForm;
  const auto part = form_->result();
  form_.reset();
  if (part) return image_found(*part);
  room_ = {};
  return refuse(part.error(), BodyState::kRead);
}

Session::Step Session::image_found(std::span<const std::byte> image) {
  job_.image_offset = room_.offset() + static_cast<std::uint64_t>(image.data() - room_.bytes().data());
  job_.image_bytes = image.size();
  return hand_over();
}

// To the dispatcher, of which the answer is waited for.
Session::Step Session::hand_over() {
  job_.options = options_;
  job_.urgency = urgency_;
  job_.block = std::move(room_);
  if (model_->dispatcher.closed()) {  // while the body came it was taken away; it may have come back
    auto now = service_.find_model(model_->config->name);
    if (now && now->config->task == model_->config->task) model_ = std::move(now);
  }
  job_id_ = job_.id = model_->dispatcher.new_id();
  answering_ = &model_->dispatcher;
  probed_ = false;
  return Step::kPredict;
}

Session::Step Session::drop_body(const Error& error) {
  end_upload();
  chunks_.reset();
  room_ = {};
  return refuse(error, BodyState::kUnread);
}

void Session::begin_upload() {
  uploading_ = true;
  gives_way_ = false;
  upload_began_ = upload_checked_ = AwakeClock::now();
  received_at_last_check_ = body_received_;
  recent_rate_ = 0;
  deadline_ = upload_began_ + config_.body_timeout;
}

void Session::end_upload() {
  uploading_ = false;
  no_deadline();
}

Upload Session::upload() const {
  return {upload_began_, chunks_ ? std::uint64_t{0} : body_length_, body_received_, room_.bytes().size(), recent_rate_};
}

std::optional<Session::UploadCost> Session::upload_cost(AwakeClock::time_point now) const {
  if (!uploading_) return std::nullopt;
  const auto cost = cost_to_come(upload(), config_.body_timeout, now);
  if (!cost) return std::nullopt;
  return UploadCost{*cost, room_.bytes().size()};
}

void Session::give_way(AwakeClock::time_point now) {
  gives_way_ = !is_behind(upload(), config_.body_timeout, now);
  time_out();
}

std::uint64_t Session::first_room_bytes() const {
  if (!chunks_) return body_length_;
  const std::uint64_t part = service_.body_room().arena().upload_share_bytes() / kFirstRoomPart;
  return std::min(body_length_, std::clamp(part, kLeastFirstRoomBytes, kMostFirstRoomBytes));
}

std::uint64_t Session::body_limit() const {
  return std::min(config_.max_body_bytes, service_.body_room().arena().largest_body_bytes());
}

Error Session::read_failure() const {
  if (timed_out_ && gives_way_) {
    return {ErrorCode::kQueueFull, "too busy: others wait for the room that this upload takes"};
  }
  if (timed_out_) return {ErrorCode::kRequestTimeout, "the request did not arrive in time"};
  return {ErrorCode::kBadRequest, "the request ended early"};
}

Error Session::no_room() const {
  if (service_.draining()) return {ErrorCode::kShuttingDown, "the server is stopping"};
  if (AwakeClock::now() >= urgency_.deadline) {
    return {ErrorCode::kDeadlineExceeded, "no answer within the request's timeout"};
  }
  return {ErrorCode::kQueueFull, "too busy"};
}

std::chrono::milliseconds Session::room_patience() const {
  const auto until_deadline = std::max(AwakeClock::duration::zero(), urgency_.deadline - AwakeClock::now());
  return std::min<std::chrono::milliseconds>(model_->config->queue.timeout,
                                             std::chrono::ceil<std::chrono::milliseconds>(until_deadline));
}

}  // namespace yolod::app
