// The front-end's end of one worker's doorbell, in the event loop: an eventfd that the worker rings when it has
// published completions. A worker that rings without need is listened to ever more seldom (doorbell_patience).
//
//   waits for a ring --a ring--> events --soon--> waits for a ring
//                                      \--too many rings--> ignores it for a while --> waits for a ring
//
// Owned by whoever stands for the worker. Front-end only, its one thread.
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
    // Returns how many requests the worker has answered, with those of now.
    std::function<std::uint64_t()> rang;
    std::function<void(const std::string& why)> broken;
  };

  DoorbellListener(boost::asio::io_context& io, common::UniqueFd doorbell, Events events);
  DoorbellListener(const DoorbellListener&) = delete;
  DoorbellListener& operator=(const DoorbellListener&) = delete;
  ~DoorbellListener() = default;

  // Begins to listen. Not before the owner is complete.
  void listen();

 private:
  void take_ring();
  // For a while: not even the kernel tells the event loop of it meanwhile.
  void ignore_for(std::chrono::milliseconds pause);

  const Events events_;
  boost::asio::posix::stream_descriptor doorbell_;
  DoorbellPatience patience_;
  boost::asio::steady_timer pause_;
  common::UniqueFd ignored_;  // what doorbell_ has at other times
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::process
