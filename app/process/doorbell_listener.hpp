// The front-end's end of one worker's doorbell. The doorbell is an eventfd that the worker rings after it has
// published completions. If a worker rings without need, the front-end pauses before it listens again
// (doorbell_patience).
//
//   waits for a ring --a ring--> events --at once--> waits for a ring
//                                      \--too many rings--> ignores the doorbell for a while --> waits for a ring
//
// The object that represents the worker owns the listener. Only the thread of the front-end may call it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "app/process/doorbell_patience.hpp"
#include "common/lifeline.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::process {

class DoorbellListener {
 public:
  struct Events {
    // Returns how many requests the worker has answered, including the completions that this ring announced.
    std::function<std::uint64_t()> rang;
    std::function<void(const std::string& why)> broken;
  };

  DoorbellListener(boost::asio::io_context& io, common::UniqueFd doorbell, Events events);
  DoorbellListener(const DoorbellListener&) = delete;
  DoorbellListener& operator=(const DoorbellListener&) = delete;
  ~DoorbellListener() = default;

  // Starts to listen. REQUIRES: the owner is completely constructed.
  void listen();

 private:
  void take_ring();
  // Removes the doorbell from the event loop for this time, so that its rings do not wake the event loop.
  void ignore_for(std::chrono::milliseconds pause);

  const Events events_;
  boost::asio::posix::stream_descriptor doorbell_;
  DoorbellPatience patience_;
  boost::asio::steady_timer pause_;
  common::UniqueFd ignored_;  // holds the descriptor of doorbell_ while the doorbell is ignored
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::process
