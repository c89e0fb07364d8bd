// A minimal HTTP server on Beast, as the yardstick for yolod's front-end. One thread reads the header and then the
// body of every request into a buffer that was allocated at start, and answers with a fixed JSON. It has no routes,
// no limits except the buffer, no deadlines and no second process.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::size_t kMaxBodyBytes = 16U << 20U;
constexpr std::size_t kHeaderBytes = 8192;
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"success\":true}";

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(tcp::socket socket) : socket_(std::move(socket)) { socket_.set_option(tcp::no_delay(true)); }

  void read_header() {
    parser_.emplace();
    parser_->body_limit(kMaxBodyBytes);
    http::async_read_header(socket_, header_, *parser_,
                            [self = shared_from_this()](beast::error_code error, std::size_t) {
                              if (!error) self->read_body();
                            });
  }

 private:
  void read_body() {
    const std::size_t size = parser_->content_length().value_or(0);
    // These bytes of the body arrived with the header.
    const std::size_t have = asio::buffer_copy(asio::buffer(body_.get(), size), header_.data());
    header_.consume(have);
    asio::async_read(socket_, asio::buffer(body_.get() + have, size - have),
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->write();
                     });
  }

  void write() {
    asio::async_write(socket_, asio::buffer(kAnswer),
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error && self->parser_->get().keep_alive()) self->read_header();
                      });
  }

  tcp::socket socket_;
  beast::flat_static_buffer<kHeaderBytes> header_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  // The buffer is uninitialised, because clearing the buffer for each connection would take milliseconds.
  std::unique_ptr<char[]> body_{std::make_unique_for_overwrite<char[]>(kMaxBodyBytes)};
};

void accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](beast::error_code error, tcp::socket socket) {
    if (!error) std::make_shared<Connection>(std::move(socket))->read_header();
    accept(acceptor);
  });
}

}  // namespace

int main() {
  try {
    asio::io_context context{1};
    tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
    std::printf("listening on http://127.0.0.1:%u\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    accept(acceptor);
    context.run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bare_beast: %s\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
