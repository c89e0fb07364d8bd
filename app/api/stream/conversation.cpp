#include "app/api/stream/conversation.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "app/api/native_error.hpp"
#include "app/api/stream/picture_handler.hpp"

namespace yolod::app::api::stream {

StreamConversation::StreamConversation(const CallContext& context, std::shared_ptr<Turns> turns, StreamOptions options)
    : context_(context), turns_(std::move(turns)), options_(std::move(options)) {
  context_.metrics.stream_began();
}

StreamConversation::~StreamConversation() { context_.metrics.stream_ended(); }

std::unique_ptr<http::Exchange> StreamConversation::begin_message(Kind kind) {
  if (kind == Kind::kText) return nullptr;
  StreamOptions options = options_;
  options_.id.clear();  // it is the id of this picture only
  auto handler = std::make_unique<PictureHandler>(context_.models, ++picture_count_, std::move(options),
                                                  [this] { return take_dropped(); });
  return std::make_unique<PictureExchange>(*this, context_, std::move(handler));
}

void StreamConversation::note_came(std::string_view text, http::Response& response) {
  if (const auto changed = change_options(text, options_); !changed) write_error(response, changed.error());
}

std::size_t StreamConversation::most_in_flight() const {
  if (options_.max_in_flight) return *options_.max_in_flight;
  const auto model = context_.models.find(options_.model);
  return model == nullptr ? 1 : std::clamp<std::size_t>(model->config->workers, 1, StreamOptions::kMostInFlight);
}

// Besides these pictures, a picture waits. With drop: oldest, the server reads the next picture meanwhile.
std::size_t StreamConversation::most_unanswered() const {
  return most_in_flight() + (options_.drop == StreamOptions::Drop::kOldest ? 2 : 1);
}

std::uint64_t StreamConversation::take_dropped() { return std::exchange(dropped_count_, 0); }

void StreamConversation::ready(PictureExchange& picture) {
  if (options_.drop == StreamOptions::Drop::kOldest) {
    while (!waiting_.empty()) {
      PictureExchange& oldest = *waiting_.front();
      waiting_.pop_front();
      drop(oldest);
    }
  }
  waiting_.push_back(&picture);
  enter_line();
}

void StreamConversation::drop(PictureExchange& picture) {
  ++dropped_count_;
  context_.metrics.frame_dropped(options_.model);
  picture.drop();
}

void StreamConversation::leave(PictureExchange& picture) { std::erase(waiting_, &picture); }

void StreamConversation::enter_line() {
  if (in_line_ || waiting_.empty() || in_flight_count_ >= most_in_flight()) return;
  in_line_ = true;
  turns_->enter(options_.model, *this);
}

void StreamConversation::take_turn() {
  in_line_ = false;
  ++in_flight_count_;
  if (waiting_.empty()) {  // the picture has left meanwhile
    ended();
    return;
  }
  PictureExchange& next = *waiting_.front();
  waiting_.pop_front();
  next.begin_turn();
  enter_line();
}

void StreamConversation::ended() {
  --in_flight_count_;
  turns_->give_back(options_.model);
  enter_line();
}

// ---- a picture ----

http::Exchange::Next PictureExchange::body_came(std::uint64_t bytes, http::Response& response) {
  const Next next = call_.body_came(bytes, response);
  if (next == Next::kWait) {
    stage_ = Stage::kWaiting;
    owner_.ready(*this);
  }
  return next;
}

void PictureExchange::wait(Resume done) {
  if (stage_ == Stage::kHasTurn) {
    call_.wait(std::move(done));
  } else {
    resume_ = std::move(done);
  }
}

void PictureExchange::begin_turn() {
  stage_ = Stage::kHasTurn;
  if (resume_) call_.wait(std::move(resume_));
}

void PictureExchange::drop() {
  stage_ = Stage::kDropped;
  call_.drop_room();
  boost::asio::post(owner_.turns().io(), [resume = std::move(resume_)]() mutable {
    if (resume) resume();
  });
}

void PictureExchange::client_is_gone() {
  if (stage_ == Stage::kWaiting) {
    owner_.leave(*this);
    drop();
    return;
  }
  if (stage_ != Stage::kDropped) call_.client_is_gone();
}

http::Exchange::Next PictureExchange::proceed(http::Response& response) {
  if (stage_ != Stage::kDropped) return call_.proceed(response);
  response.start(boost::beast::http::status::ok);
  return Next::kRespond;
}

void PictureExchange::answered(int http_status) {
  if (stage_ == Stage::kDropped) return;
  call_.answered(http_status);
  if (stage_ == Stage::kHasTurn) owner_.ended();
}

}  // namespace yolod::app::api::stream
