// The front-end's signals, read through a signalfd: no handlers, so none to race.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "common/outcome.hpp"

namespace yolod::app::host {

class SignalReader {
 public:
  // `handler` gets each signal from the event loop. Signals of one number that arrive together are one.
  [[nodiscard]] static common::Outcome<std::unique_ptr<SignalReader>> open(boost::asio::io_context& io,
                                                                           std::function<void(int)> handler);
  void close() { descriptor_.close(); }

 private:
  SignalReader(boost::asio::io_context& io, int descriptor, std::function<void(int)> handler)
      : descriptor_(io, descriptor), handler_(std::move(handler)) {}
  void wait();

  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void(int)> handler_;
};

}  // namespace yolod::app::host
