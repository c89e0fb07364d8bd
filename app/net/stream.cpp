#include "app/net/stream.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>

namespace yolod::app::net {
namespace {

namespace asio = boost::asio;

// The most that one TLS record carries (RFC 8446, 5.1).
constexpr std::size_t kRecordBytes = 16 * 1024;

int as_int(std::size_t bytes) { return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX)); }

}  // namespace

Stream::Stream(Socket socket, std::shared_ptr<const common::TlsContext> tls)
    : socket_(std::move(socket)), context_(std::move(tls)) {
  ErrorCode ignored;
  socket_.non_blocking(true, ignored);
  if (context_ == nullptr) return;
  socket_.native_non_blocking(true, ignored);
  tls_ = SSL_new(context_->native());
  if (tls_ == nullptr || SSL_set_fd(tls_, socket_.native_handle()) != 1) {
    SSL_free(tls_);
    throw std::bad_alloc();
  }
  SSL_set_accept_state(tls_);
}

Stream::~Stream() { SSL_free(tls_); }

Stream::ErrorCode Stream::failure_of(int result) {
  const int error_number = errno;
  switch (SSL_get_error(tls_, result)) {
    case SSL_ERROR_NONE: return {};
    case SSL_ERROR_WANT_READ: waits_for_ = Socket::wait_read; return asio::error::would_block;
    case SSL_ERROR_WANT_WRITE: waits_for_ = Socket::wait_write; return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN: return asio::error::eof;
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      return error_number == 0 ? ErrorCode(asio::error::eof)
                               : ErrorCode(error_number, boost::system::system_category());
    default: break;
  }
  broken_ = true;
  const int reason = ERR_GET_REASON(ERR_peek_error());
  return reason == SSL_R_UNEXPECTED_EOF_WHILE_READING ? ErrorCode(asio::error::eof)
                                                      : make_error_code(boost::system::errc::protocol_error);
}

void Stream::shake_hands(ErrorCode& failure) {
  if (!may_use_tls()) {
    failure = asio::error::bad_descriptor;
    return;
  }
  ERR_clear_error();
  const int result = SSL_do_handshake(tls_);
  if (result == 1) {
    handshake_ = Handshake::kDone;
    failure = {};
    return;
  }
  failure = failure_of(result);
  if (failure == asio::error::would_block) return;
  const auto error = ERR_peek_error();
  if (const char* const reason = ERR_reason_error_string(error)) handshake_problem_ = reason;
  switch (ERR_GET_REASON(error)) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: handshake_ = Handshake::kPlainHttp; break;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: handshake_ = Handshake::kNoCertificate; break;
    default: handshake_ = SSL_get_verify_result(tls_) == X509_V_OK ? Handshake::kFailed : Handshake::kNoCertificate;
  }
  ERR_clear_error();
}

std::string Stream::client_subject() const {
  const X509* const certificate = tls_ == nullptr ? nullptr : SSL_get0_peer_certificate(tls_);
  return certificate == nullptr ? std::string() : common::text_of(X509_get_subject_name(certificate));
}

std::string Stream::peer_address() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(socket_.native_handle(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return "a client";
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return "unix";
}

// SSL_read() returns at most one record, so the function reads until the place is full or no byte is left.
std::size_t Stream::read_some(asio::mutable_buffer to, ErrorCode& failure) {
  if (tls_ == nullptr) return socket_.read_some(asio::buffer(to), failure);
  if (!may_use_tls()) {
    failure = asio::error::eof;
    return 0;
  }
  std::size_t done = 0;
  ERR_clear_error();
  while (to.size() != 0) {
    const int result = SSL_read(tls_, to.data(), as_int(to.size()));
    if (result <= 0) {
      failure = failure_of(result);
      if (done != 0) failure = {};  // the next call reports it
      return done;
    }
    done += static_cast<std::size_t>(result);
    to += static_cast<std::size_t>(result);
  }
  failure = {};
  return done;
}

// A short head and the beginning of the content go into one record, and so into one packet.
std::size_t Stream::write_some(const Buffers& from, ErrorCode& failure) {
  if (tls_ == nullptr) return socket_.write_some(from, failure);
  if (!may_use_tls()) {
    failure = asio::error::broken_pipe;
    return 0;
  }
  Buffers left = from;
  std::size_t done = 0;
  std::array<char, kRecordBytes> record;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled before it is read
  ERR_clear_error();
  while (asio::buffer_size(left) != 0) {
    asio::const_buffer next = *std::find_if(left.begin(), left.end(), [](const auto& one) { return one.size() != 0; });
    if (next.size() < record.size() && next.size() < asio::buffer_size(left)) {
      next = asio::const_buffer(record.data(), asio::buffer_copy(asio::buffer(record), left));
    }
    const int result = SSL_write(tls_, next.data(), as_int(next.size()));
    if (result <= 0) {
      failure = failure_of(result);
      if (done != 0) failure = {};  // the next call reports it
      return done;
    }
    auto written = static_cast<std::size_t>(result);
    done += written;
    for (auto& one : left) {
      const std::size_t of_one = std::min(written, one.size());
      one += of_one;
      written -= of_one;
    }
  }
  failure = {};
  return done;
}

ClientPresence Stream::client_presence() {
  const auto presence = net::client_presence(socket_.native_handle());
  if (tls_ == nullptr || presence != ClientPresence::kHalfClosed) return presence;
  return ClientPresence::kGone;
}

void Stream::probe_client() {
  if (tls_ == nullptr) net::probe_client(socket_.native_handle());
}

bool Stream::has_unread() {
  ErrorCode ignored;
  return (tls_ != nullptr && SSL_has_pending(tls_) != 0) || socket_.available(ignored) != 0;
}

void Stream::end() {
  if (tls_ == nullptr || !may_use_tls() || handshake_ != Handshake::kDone) return;
  ERR_clear_error();
  (void)SSL_shutdown(tls_);  // sends one record; if there is no room for it, the client sees only the end of TCP
  ERR_clear_error();
}

}  // namespace yolod::app::net
