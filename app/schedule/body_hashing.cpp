#include "app/schedule/body_hashing.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace yolod::app::schedule {

void BodyHashing::add(std::unique_ptr<Request> request) {
  waiting_.push_back(std::move(request));
  if (waiting_.size() == 1) go_on();
}

void BodyHashing::go_on() {
  boost::asio::post(io_, lifeline_.guard([this] { hash_piece(); }));
}

void BodyHashing::hash_piece() {
  const auto body = waiting_.front()->content();
  if (!hasher_) {
    hasher_.emplace();
    hashed_bytes_ = 0;
  }
  const auto piece = body.subspan(hashed_bytes_, std::min(kBytesPerTurn, body.size() - hashed_bytes_));
  hasher_->add(piece);
  hashed_bytes_ += piece.size();
  if (hashed_bytes_ != body.size()) {
    go_on();
    return;
  }
  auto request = std::move(waiting_.front());
  waiting_.pop_front();
  request->hash = hasher_->finish();
  hasher_.reset();
  if (!waiting_.empty()) go_on();
  on_hashed_(std::move(request));
}

}  // namespace yolod::app::schedule
