// Reads the front-end's signals through a signalfd. There are no signal handlers, so there are no races with them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "common/outcome.hpp"

namespace yolod::app::host {

class SignalReader {
 public:
  // `handler` receives each signal on the event loop. Several signals with the same number may arrive as one. An
  // Error is kSystem.
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
