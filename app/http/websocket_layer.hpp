// A WebSocketLayer lets Beast's websocket::stream work on a connection's stream. It first returns the bytes that the
// connection has read already.
//
// The WebSocket owns it and uses it on the front-end's only thread. The stream and the buffer outlive it.
#pragma once

#include <algorithm>
#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/role.hpp>
#include <cstddef>
#include <utility>

#include "app/net/stream.hpp"

namespace yolod::app::http {

// Wraps the handler of a write. If the frame has more bytes, Beast begins the next write within the handler.
template <typename Handler>
struct AfterWrite {
  bool& is_sending;
  Handler handler;

  void operator()(boost::system::error_code failure, std::size_t bytes) {
    is_sending = false;
    std::move(handler)(failure, bytes);
  }
};

class WebSocketLayer {
 public:
  using executor_type = net::Stream::Socket::executor_type;
  using ErrorCode = net::Stream::ErrorCode;
  // The event loop reads or sends at most this much for one WebSocket in one turn.
  static constexpr std::size_t kBytesAtOnce = 256 * 1024;

  WebSocketLayer(net::Stream& stream, boost::beast::flat_buffer& received) : stream_(stream), received_(received) {}

  [[nodiscard]] executor_type get_executor() { return stream_.get_executor(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(
        [this](auto handler, boost::asio::mutable_buffer to) {
          if (received_.size() == 0) {
            stream_.async_read_some(to, std::move(handler));
            return;
          }
          const std::size_t bytes = boost::asio::buffer_copy(to, received_.data());
          received_.consume(bytes);
          if (received_.size() == 0) received_.shrink_to_fit();
          boost::asio::post(get_executor(), boost::beast::bind_handler(std::move(handler), ErrorCode(), bytes));
        },
        token, first_of<boost::asio::mutable_buffer>(buffers));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    // A message has two buffers: the head of its frame, and its payload.
    net::Stream::Buffers out;
    std::size_t count = 0;
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers); ++at) {
      const boost::asio::const_buffer one(*at);
      if (one.size() != 0 && count < out.size()) out.at(count++) = boost::asio::buffer(one, kBytesAtOnce);
    }
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(
        [this](auto handler, const net::Stream::Buffers& from) {
          if (is_closing_) {
            const std::size_t bytes = boost::asio::buffer_size(from);
            boost::asio::post(get_executor(), boost::beast::bind_handler(std::move(handler), ErrorCode(), bytes));
            return;
          }
          is_sending_ = true;
          stream_.async_write_some(from, AfterWrite<decltype(handler)>{is_sending_, std::move(handler)});
        },
        token, out);
  }

  // ---- the close frame that the WebSocket itself writes ----

  // Returns whether a frame of Beast is being sent. No other byte may be written then.
  [[nodiscard]] bool is_sending() const { return is_sending_; }
  // From now on nothing that Beast writes is sent, because no frame may follow a close frame. Beast believes that its
  // frames were sent. REQUIRES: is_sending() is false.
  void begin_close() { is_closing_ = true; }

  // Beast's end of a WebSocket calls these functions. The connection closes the socket.
  template <typename Handler>
  friend void async_teardown(boost::beast::role_type /*role*/, WebSocketLayer& layer, Handler&& handler) {
    boost::asio::post(layer.get_executor(), boost::beast::bind_handler(std::forward<Handler>(handler), ErrorCode()));
  }
  friend void teardown(boost::beast::role_type /*role*/, WebSocketLayer& /*layer*/, ErrorCode& failure) {
    failure = {};
  }
  friend void beast_close_socket(WebSocketLayer& layer) {
    ErrorCode ignored;
    layer.stream_.socket().close(ignored);
  }

 private:
  template <typename Buffer, typename Buffers>
  [[nodiscard]] static Buffer first_of(const Buffers& buffers) {
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers); ++at) {
      const Buffer one(*at);
      if (one.size() != 0) return one;
    }
    return {};
  }

  net::Stream& stream_;
  boost::beast::flat_buffer& received_;
  bool is_sending_{false};
  bool is_closing_{false};
};

}  // namespace yolod::app::http

// Gives the wrapper the allocator and the executor of the handler.
template <template <typename, typename> class Associator, typename Handler, typename Default>
struct boost::asio::associator<Associator, yolod::app::http::AfterWrite<Handler>, Default>
    : Associator<Handler, Default> {
  using Wrapper = yolod::app::http::AfterWrite<Handler>;
  static typename Associator<Handler, Default>::type get(const Wrapper& wrapper) noexcept {
    return Associator<Handler, Default>::get(wrapper.handler);
  }
  static auto get(const Wrapper& wrapper, const Default& otherwise) noexcept {
    return Associator<Handler, Default>::get(wrapper.handler, otherwise);
  }
};
