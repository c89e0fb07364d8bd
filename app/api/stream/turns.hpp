// Turns decides when the pictures of streams go to the scheduler, so that many streams share a model fairly and leave
// room for requests.
//
// Each model has a line. A stream that has a picture enters the line of its model once, and gets its turn in the order
// of entry. The streams of a model together have at most `most` pictures with the scheduler: two batches for each
// worker. So a stream that sends more pictures than others gets no more turns. A newer picture can still replace a
// picture that waits for its turn. A request that comes meanwhile waits only for those few pictures.
//
//   enter() -> [waits in the line] -> take_turn() -> the picture is with the scheduler -> give_back()
//
// The streams share it and use it on the front-end's only thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "app/serving/models.hpp"
#include "common/lifeline.hpp"

namespace yolod::app::api::stream {

// A stream. It leaves the line when it is destroyed.
class TurnTaker : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  TurnTaker() = default;
  TurnTaker(const TurnTaker&) = delete;
  TurnTaker& operator=(const TurnTaker&) = delete;

  // Gives one picture to the scheduler, or calls give_back() now or later if there is none.
  virtual void take_turn() = 0;

 protected:
  ~TurnTaker() = default;
};

class Turns {
 public:
  // The arguments outlive this object.
  Turns(boost::asio::io_context& io, const serving::Models& models) : io_(io), models_(models) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // Enters the line of the model. It calls take_turn() at once if the line is empty and has a free place, otherwise
  // later. REQUIRES: the stream is in no line.
  void enter(const std::string& model, TurnTaker& taker);
  // The stream's picture is no longer with the scheduler.
  void give_back(const std::string& model);

  [[nodiscard]] boost::asio::io_context& io() { return io_; }

 private:
  using Waiting = boost::intrusive::list<TurnTaker, boost::intrusive::constant_time_size<false>>;
  struct Line {
    std::size_t taken{0};
    Waiting waiting;
    bool is_scheduled{false};
  };

  [[nodiscard]] std::size_t most(const std::string& model) const;
  void serve(const std::string& model);

  boost::asio::io_context& io_;
  const serving::Models& models_;
  std::map<std::string, Line, std::less<>> lines_;  // an entry for each model that has had a stream
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::api::stream
