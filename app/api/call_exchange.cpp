#include "app/api/call_exchange.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "common/awake_clock.hpp"

namespace yolod::app::api {
namespace {

using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::Outcome;
using std::chrono::milliseconds;

// The exchange examines this much of one body in one turn of the event loop. That takes about 0.1 ms.
constexpr std::size_t kLookedAtOnceBytes = 64 * 1024;
// The next constants set the first room of a chunked body.
constexpr std::uint64_t kFirstRoomPart = 128;  // this fraction of the memory for unfinished bodies
constexpr std::uint64_t kLeastFirstRoomBytes = 64 * 1024;
constexpr std::uint64_t kMostFirstRoomBytes = 1U << 20U;
// A request with several calls has at most this fraction of queue.max_size in the queue.
constexpr std::uint32_t kQueueShare = 4;
// A chunked body that has filled its first room waits this long for a larger one. Meanwhile it holds memory that
// other bodies may need.
constexpr milliseconds kGrowPatience{2000};
// A request whose body names its model waits this long for memory.
constexpr milliseconds kPatienceWithoutModel{5000};
// The exchange copies this much of a private body in one turn of the event loop. That takes about 0.1 ms.
constexpr std::size_t kCopiedAtOnceBytes = 256 * 1024;
constexpr std::size_t kWorthShrinkingBytes = 64 * 1024;

Error no_key() { return {ErrorCode::kUnauthorized, "this path needs an API key"}; }

}  // namespace

http::Exchange::Next CallExchange::begin(const http::RequestView& request, http::Response& response) {
  began_ = request.began;
  if (request.late_check != nullptr) late_check_ = *request.late_check;
  const auto begun = handler_->begin(request, plan_, response);
  is_private_ = handler_->may_have_key();
  if (late_check_ && late_check_->is_pending()) {
    const bool may_follow = is_private_ && request.head.has_body() && !plan_.is_answered;
    if (!may_follow) return fail(check_key({}).value_or(no_key()), response);
    if (!begun) begin_error_ = begun.error();
    unchecked_.emplace(context_.body_room.unchecked(), access::NetworkHash()(late_check_->network().site()));
    return Next::kReadBody;  // without admit(), so that this client has no influence on the scheduler yet
  }
  if (!begun) return fail(begun.error(), response);
  if (plan_.is_answered) return Next::kRespond;
  if (plan_.model) {
    if (const auto admitted = admit(); !admitted) return fail(admitted.error(), response);
  }
  return Next::kReadBody;
}

std::optional<Error> CallExchange::check_key(std::string_view key) {
  if (!late_check_) return std::nullopt;
  auto refused = late_check_->check(key);
  late_check_.reset();
  unchecked_.reset();
  return refused;
}

Outcome<void> CallExchange::admit() {
  is_admitted_ = true;
  return plan_.model->dispatcher.admit(plan_.urgency);
}

// ---- the body ----

http::Exchange::BodyRule CallExchange::body_rule() const {
  const ipc::InputArena& arena = context_.body_room.arena();
  return {std::min(context_.config.max_body_bytes, arena.largest_body_bytes()),
          std::clamp(arena.upload_share_bytes() / kFirstRoomPart, kLeastFirstRoomBytes, kMostFirstRoomBytes),
          is_private_};
}

bool CallExchange::try_room(std::uint64_t bytes) {
  if (unchecked_ && !context_.body_room.unchecked().try_hold(*unchecked_, bytes, body_rule().limit_bytes)) return false;
  auto room = context_.body_room.try_reserve(bytes);
  return room && take_room(*std::move(room), bytes, 0);
}

bool CallExchange::take_room(ipc::ArenaBlock room, std::uint64_t bytes, std::uint64_t kept_bytes) {
  if (is_private_) {
    auto memory = PrivateRoom::allocate(bytes);
    if (!memory) return false;
    if (kept_bytes != 0) std::memcpy(memory->bytes().data(), private_.bytes().data(), kept_bytes);
    private_ = *std::move(memory);
  } else if (kept_bytes != 0) {
    std::memcpy(room.bytes().data(), room_.bytes().data(), kept_bytes);
  }
  room_ = std::move(room);
  return true;
}

void CallExchange::drop_room() {
  room_ = {};
  PrivateRoom::free_in_turns(std::move(private_), context_.body_room.executor());
  if (unchecked_) unchecked_->clear();
}

boost::asio::awaitable<Outcome<void>> CallExchange::await_room(std::uint64_t bytes, std::uint64_t kept_bytes) {
  const bool grows = kept_bytes != 0;
  auto patience = grows ? std::min(room_patience(), kGrowPatience) : room_patience();
  const void* const waiting = grows ? nullptr : this;
  if (unchecked_) {
    const auto began = AwakeClock::now();
    const bool has_room = co_await context_.body_room.unchecked().await_hold(
        *unchecked_, bytes, body_rule().limit_bytes, patience, waiting);
    if (!has_room || client_left_) co_return no_room();
    patience -= std::min(patience, std::chrono::floor<milliseconds>(AwakeClock::now() - began));
  }
  // The previous room no longer counts as memory of unfinished bodies. Otherwise a body nearly as large as all of
  // this memory would wait for its own first room.
  if (grows) room_.end_upload();
  auto room = co_await context_.body_room.reserve(bytes, patience, waiting);
  if (!room) co_return no_room();
  const bool is_taken = take_room(*std::move(room), bytes, kept_bytes);
  co_return is_taken ? Outcome<void>() : Outcome<void>(no_room());
}

milliseconds CallExchange::room_patience() const {
  if (!plan_.model) return kPatienceWithoutModel;
  const auto until_deadline = std::max(AwakeClock::duration::zero(), plan_.urgency.deadline - AwakeClock::now());
  return std::min<milliseconds>(plan_.model->config->queue.timeout, std::chrono::ceil<milliseconds>(until_deadline));
}

Error CallExchange::no_room() const {
  if (context_.draining()) return {ErrorCode::kShuttingDown, "the server is stopping"};
  if (AwakeClock::now() >= plan_.urgency.deadline) {
    return {ErrorCode::kDeadlineExceeded, "the server has no answer within the request's timeout"};
  }
  if (unchecked_ && unchecked_->bytes() == 0) {
    return {ErrorCode::kQueueFull,
            "the server is too busy: too many bodies wait for the check of the API key that they have"};
  }
  return {ErrorCode::kQueueFull, "the server is too busy: no memory for the body is free within queue.timeout"};
}

http::Exchange::Next CallExchange::body_came(std::uint64_t bytes, http::Response& response) {
  if (bytes < room_.bytes().size()) room_.shrink(bytes);
  room_.end_upload();
  body_bytes_ = bytes;
  stage_ = Stage::kReady;
  return make_ready(response);
}

// ---- the calls ----

http::Exchange::Next CallExchange::proceed(http::Response& response) {
  switch (stage_) {
    case Stage::kBody: break;
    case Stage::kReady: return make_ready(response);
    case Stage::kCopying: return copy_contents(response);
    case Stage::kAsked: {
      if (failure_) return fail(*failure_, response);
      stage_ = Stage::kRendering;
      return render(response);
    }
    case Stage::kRendering: return render(response);
  }
  return fail({ErrorCode::kInternal, "the exchange was resumed before its body was complete"}, response);
}

http::Exchange::Next CallExchange::make_ready(http::Response& response) {
  if (handler_->piece_bytes() != 0 && !has_piece_) return fill_piece(response);
  const auto done = handler_->ready(body(), kLookedAtOnceBytes, calls_);
  if (done && !*done) return Next::kNextTurn;
  auto failed = check_key(handler_->body_key());
  if (!failed && begin_error_) failed = std::move(begin_error_);
  if (!failed && !done) failed = done.error();
  if (!failed && (calls_.empty() || calls_.size() > kMostCalls)) {
    failed = Error{ErrorCode::kBadRequest, "a request must have 1 to " + std::to_string(kMostCalls) + " inputs"};
  }
  if (!failed && !is_admitted_) {
    if (const auto admitted = admit(); !admitted) failed = admitted.error();
  }
  if (failed) {
    drop_room();
    return fail(*failed, response);
  }
  if (!is_private_) return hand_over();
  stage_ = Stage::kCopying;
  return copy_contents(response);
}

// The contents are parts of the body that do not overlap, so they fit into the room of the body.
http::Exchange::Next CallExchange::copy_contents(http::Response& response) {
  std::size_t left = kCopiedAtOnceBytes;
  while (copied_calls_ < calls_.size()) {
    Call& call = calls_[copied_calls_];
    const auto piece = call.content.subspan(copied_bytes_, std::min(left, call.content.size() - copied_bytes_));
    if (piece.size() > room_.bytes().size() - copied_to_) {
      drop_room();
      return fail({ErrorCode::kInternal, "the contents of the calls are larger than the body"}, response);
    }
    if (!piece.empty()) std::memcpy(room_.bytes().data() + copied_to_, piece.data(), piece.size());
    copied_to_ += piece.size();
    copied_bytes_ += piece.size();
    left -= piece.size();
    if (copied_bytes_ < call.content.size()) {
      const bool is_last = copied_calls_ + 1 == calls_.size();
      const std::byte* const next = call.content.data() + copied_bytes_;
      if (is_last) private_.give_back_before(static_cast<std::size_t>(next - private_.bytes().data()));
      return Next::kNextTurn;
    }
    call.content = room_.bytes().subspan(copied_to_ - copied_bytes_, copied_bytes_);
    copied_bytes_ = 0;
    ++copied_calls_;
  }
  PrivateRoom::free_in_turns(std::move(private_), context_.body_room.executor());
  // The block of a form that is hardly longer than its picture keeps its size, so that another body can reuse it.
  if (copied_to_ + kWorthShrinkingBytes < room_.bytes().size()) room_.shrink(copied_to_);
  return hand_over();
}

// The exchange does not wait for the room, because it holds room already that other bodies may wait for.
http::Exchange::Next CallExchange::fill_piece(http::Response& response) {
  if (piece_.bytes().empty()) {
    auto room = context_.body_room.try_reserve(handler_->piece_bytes());
    if (!room) {
      room_ = {};
      return fail(no_room(), response);
    }
    piece_ = std::move(*room);
  }
  const auto filled = handler_->fill(body(), piece_.bytes(), kLookedAtOnceBytes);
  if (!filled) {
    room_ = {};
    piece_ = {};
    return fail(filled.error(), response);
  }
  if (*filled) {
    has_piece_ = true;
    room_ = std::move(piece_);
    room_.end_upload();
    body_bytes_ = room_.bytes().size();
  } else if (handler_->is_waiting()) {
    return Next::kWait;
  }
  return Next::kNextTurn;
}

http::Exchange::Next CallExchange::hand_over() {
  answers_.resize(calls_.size());
  body_ = room_.bytes().data();
  body_offset_ = room_.offset();
  stage_ = Stage::kAsked;
  return Next::kWait;
}

// A body waits for its room and its bytes, and a picture of a stream for its turn. Meanwhile a reload may have removed
// the model, and a new model may have its name.
void CallExchange::find_model_again() {
  auto& model = plan_.model;
  if (!model->dispatcher.closed()) return;
  auto now = context_.models.find(model->config->name);
  if (now && now->config->task == model->config->task) model = std::move(now);
}

void CallExchange::cancel_calls() {
  if (std::exchange(cancelled_, true)) return;
  for (const std::uint64_t id : ids_) plan_.model->dispatcher.cancel(id);
}

schedule::Job CallExchange::job_of(const Call& call) {
  schedule::Job job;
  job.id = plan_.model->dispatcher.new_id();
  job.urgency = plan_.urgency;
  job.options = call.options;
  job.kind = call.kind;
  job.rows = call.rows;
  job.content = call.content;
  job.content_offset = body_offset_ + static_cast<std::uint64_t>(call.content.data() - body_);
  return job;
}

struct CallExchange::Several {
  Resume done;
  std::shared_ptr<const ipc::ArenaBlock> block;  // the last job frees it
  std::size_t next{0};                           // the number of the next call
  std::size_t asked{0};                          // calls that the dispatcher has and that have no answer
};

void CallExchange::wait(Resume done) {
  if (stage_ != Stage::kAsked) return handler_->wait(std::move(done));
  find_model_again();
  if (calls_.size() == 1) {
    schedule::Job job = job_of(calls_.front());
    ids_.push_back(job.id);
    job.block = std::move(room_);
    auto handler = schedule::AnswerHandler::from([this, done = std::move(done)](schedule::Answer&& answer) mutable {
      answer_came(0, std::move(answer));
      done();
    });
    plan_.model->dispatcher.ask(std::move(job), std::move(handler));
    return;
  }
  // The dispatcher has only a part of the calls at a time, so that a single request cannot fill the queue.
  const std::size_t most_at_once = std::max<std::size_t>(1, plan_.model->config->queue.max_size / kQueueShare);
  const auto several = std::make_shared<Several>();
  several->done = std::move(done);
  several->block = std::make_shared<const ipc::ArenaBlock>(std::move(room_));
  const schedule::Dispatcher::Together together(plan_.model->dispatcher);
  while (several->next < std::min(most_at_once, calls_.size())) ask_next(several);
}

void CallExchange::ask_next(const std::shared_ptr<Several>& several) {
  const std::size_t number = several->next++;
  schedule::Job job = job_of(calls_[number]);
  job.shared_block = several->block;
  ids_.push_back(job.id);
  ++several->asked;
  plan_.model->dispatcher.ask(std::move(job),
                              schedule::AnswerHandler::from([this, number, several](schedule::Answer&& answer) {
                                answer_came(number, std::move(answer));
                                --several->asked;
                                if (several->next < calls_.size()) ask_next_or_stop(several);
                                if (several->asked == 0) several->done();
                              }));
}

void CallExchange::ask_next_or_stop(const std::shared_ptr<Several>& several) {
  if (cancelled_ && !failure_) failure_ = Error{ErrorCode::kClientGone, "the client is gone"};
  if (!failure_) ask_next(several);
}

void CallExchange::answer_came(std::size_t number, schedule::Answer&& answer) {
  if (!answer.prediction && !failure_ && !handler_->wants_all_answers()) {
    failure_ = answer.prediction.error();
    if (calls_.size() > 1) cancel_calls();  // one failure decides the answer
  }
  answers_[number] = std::move(answer);
}

void CallExchange::client_is_gone() {
  if (stage_ == Stage::kBody) {
    client_left_ = true;
    if (unchecked_) context_.body_room.unchecked().leave(this);
    context_.body_room.leave(this);
    return;
  }
  if (stage_ == Stage::kAsked) return cancel_calls();
  handler_->client_is_gone();
}

// ---- the answer ----

http::Exchange::Next CallExchange::render(http::Response& response) {
  Handler::Result result{plan_.model->config->name, answers_};
  if (handler_->wants_all_answers()) result.retry_after_seconds = plan_.model->dispatcher.retry_after_seconds();
  if (handler_->render(result, response)) return Next::kRespond;
  return handler_->is_waiting() ? Next::kWait : Next::kWriteMore;
}

http::Exchange::Next CallExchange::fail(const Error& error, http::Response& response) {
  refuse(error, response);
  if (error.code == ErrorCode::kUnauthorized) http::add_challenge(response);
  return Next::kRespond;
}

void CallExchange::refuse(const Error& error, http::Response& response) {
  handler_->write_error(error, plan_.model ? plan_.model->dispatcher.retry_after_seconds() : 1, response);
}

void CallExchange::answered(int http_status) {
  if (plan_.model) {
    plan_.model->metrics.answered(http_status, AwakeClock::now() - began_);
  } else {
    context_.metrics.answered_without_model(http_status);
  }
}

}  // namespace yolod::app::api
