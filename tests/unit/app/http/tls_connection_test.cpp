// These tests have a client that uses OpenSSL at one end of a socket pair, and a Connection at the other end.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/websocket_frames.hpp"
#include "tests/unit/app/http/connection_bench.hpp"

namespace yolod::app::http {
namespace {

using namespace std::chrono_literals;
using tests::Certificate;

// The server's files, and the authority that signs its clients' certificates.
struct ServerFiles {
  explicit ServerFiles(bool asks_clients = false) {
    own.write_certificate(files.certificate);
    own.write_key(files.key);
    if (!asks_clients) return;
    files.client_ca = directory.path() / "ca.pem";
    authority.write_certificate(files.client_ca);
  }
  [[nodiscard]] std::shared_ptr<const common::TlsContext> context() const {
    auto made = common::TlsContext::load(files);
    REQUIRE(made.ok());
    return *made;
  }
  tests::TemporaryDirectory directory;
  Certificate own{{}};
  Certificate authority{{.name = "authority", .is_authority = true}};
  common::TlsConfig files{directory.path() / "cert.pem", directory.path() / "key.pem", {}};
};

class TlsClient {
 public:
  TlsClient(ConnectionBench& bench, std::shared_ptr<const common::TlsContext> server)
      : bench_(bench), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
    std::signal(SIGPIPE, SIG_IGN);  // as yolod does: OpenSSL writes with write()
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    end_ = common::UniqueFd(ends[0]);
    Connection::Socket socket(bench.io, boost::asio::generic::stream_protocol(AF_UNIX, 0), ends[1]);
    auto connection = std::make_shared<Connection>(std::move(socket), net::ListenerRole::kPublic, bench.connections,
                                                   std::move(server));
    boost::asio::co_spawn(bench.io, connection->run(), [&bench](const std::exception_ptr& failure) {
      CHECK_FALSE(failure);
      ++bench.ended;
    });
    bench.turn();
  }
  [[nodiscard]] SSL_CTX* context() { return context_.get(); }
  [[nodiscard]] SSL* tls() { return tls_.get(); }
  [[nodiscard]] int socket() const { return end_.get(); }

  void begin() {
    if (tls_ != nullptr) return;
    tls_ = {SSL_new(context_.get()), &SSL_free};
    SSL_set_fd(tls_.get(), end_.get());
    SSL_set_connect_state(tls_.get());
  }
  // Returns whether the handshake is complete after all that both sides could do.
  bool connect() {
    begin();
    return drive([this] { return SSL_do_handshake(tls_.get()); }) == 1;
  }
  TlsClient& send(std::string_view text) {
    while (!text.empty()) {
      const int sent = drive([&] { return SSL_write(tls_.get(), text.data(), static_cast<int>(text.size())); });
      REQUIRE(sent > 0);
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    bench_.turn();
    return *this;
  }
  // Returns all bytes that have come since the last call.
  std::string received() {
    std::string text;
    std::string some(1U << 16U, '\0');
    for (;;) {
      const int bytes = drive([&] { return SSL_read(tls_.get(), some.data(), static_cast<int>(some.size())); });
      if (bytes <= 0) return text;
      text.append(some.data(), static_cast<std::size_t>(bytes));
    }
  }
  // Returns whether the server has said that nothing follows.
  [[nodiscard]] bool is_ended() { return (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  void close() {
    end_.reset();
    bench_.turn();
  }

 private:
  // Repeats `call` until it succeeds or fails, and lets the event loop run in between.
  template <typename Call>
  int drive(Call call) {
    int result = 0;
    for (int i = 0; i < 50; ++i) {
      ERR_clear_error();
      result = call();
      if (result > 0) break;
      const int why = SSL_get_error(tls_.get(), result);
      bench_.turn();
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) break;
    }
    bench_.turn();
    return result;
  }

  ConnectionBench& bench_;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> tls_;
  common::UniqueFd end_;
};

constexpr std::string_view kGet = "GET /thing HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(std::string_view body) {
  return "POST /thing HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

bool ends_with(const std::string& text, std::string_view end) { return std::string_view(text).ends_with(end); }

TEST_CASE("TlsConnection: requests are answered one after another", "[app][unit]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  SSL_CTX_set_max_proto_version(client.context(), version);
  REQUIRE(client.connect());
  CHECK(SSL_version(client.tls()) == version);
  // The server chooses the cipher that costs the least time.
  CHECK(std::string(SSL_get_cipher_name(client.tls())) ==
        (version == TLS1_3_VERSION ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256"));
  CHECK(bench.handshakes == std::vector{net::Handshake::kDone});
  for (int i = 0; i < 3; ++i) {
    client.send(kGet);
    CHECK(ends_with(client.received(), "\r\n\r\nhello"));
  }
  CHECK(bench.script.begun == 3);
}

TEST_CASE("TlsConnection: two requests in one record are both answered", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  REQUIRE(client.connect());
  client.send(std::string(kGet) + std::string(kGet));
  (void)client.received();
  CHECK(bench.script.begun == 2);
}

TEST_CASE("TlsConnection: bodies longer than a record come and go whole", "[app][unit]") {
  const std::size_t size = GENERATE(as<std::size_t>{}, 1, 16'383, 16'384, 16'385, 900'000);
  const ServerFiles files;
  ConnectionBench bench;
  bench.read_bodies();
  bench.script.rule = {1U << 20U, 64};
  TlsClient client(bench, files.context());
  REQUIRE(client.connect());
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 23);
  client.send(post(body));
  CHECK(ends_with(client.received(), "\r\n\r\n" + body));
}

TEST_CASE("TlsConnection: the server says that nothing follows before it closes", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  REQUIRE(client.connect());
  client.send("GET /thing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(ends_with(client.received(), "hello"));
  CHECK(client.is_ended());
  CHECK(bench.ended == 1);
}

TEST_CASE("TlsConnection: plain HTTP is answered that this port speaks HTTPS", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  REQUIRE(::send(client.socket(), kGet.data(), kGet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kGet.size()));
  bench.turn();
  std::string text(4096, '\0');
  const auto bytes = recv(client.socket(), text.data(), text.size(), MSG_DONTWAIT);
  REQUIRE(bytes > 0);
  text.resize(static_cast<std::size_t>(bytes));
  CHECK(text.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(text.find("Connection: close\r\n") != std::string::npos);
  CHECK(text.find("use https://") != std::string::npos);
  CHECK(bench.handshakes == std::vector{net::Handshake::kPlainHttp});
  CHECK(bench.script.begun == 0);
}

TEST_CASE("TlsConnection: bytes that are neither TLS nor HTTP end the connection", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  REQUIRE(::send(client.socket(), "\x16\x03\x01\xff\xffgarbage", 12, MSG_NOSIGNAL) == 12);
  client.close();
  CHECK(bench.ended == 1);
  CHECK(bench.handshakes == std::vector{net::Handshake::kFailed});
}

TEST_CASE("TlsConnection: the server ends an idle connection with an alert", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  REQUIRE(client.connect());
  bench.connections.close_idle();
  bench.turn();
  CHECK(bench.ended == 1);
  CHECK(client.received().empty());
  CHECK(client.is_ended());
}

TEST_CASE("TlsConnection: after its end a connection writes nothing to the descriptor of the next one", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  REQUIRE(client.connect());
  bench.connections.close_all();
  // The kernel gives the lowest free numbers, so one of these has the number of the closed connection.
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  const common::UniqueFd first(ends[0]);
  const common::UniqueFd second(ends[1]);
  bench.turn();
  CHECK(bench.ended == 1);
  char byte{};
  CHECK(recv(first.get(), &byte, 1, 0) == -1);
  CHECK(recv(second.get(), &byte, 1, 0) == -1);
}

TEST_CASE("TlsConnection: a client that ends during the handshake ends its connection", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  SECTION("before it sends anything") {}
  SECTION("within its first record") { REQUIRE(::send(client.socket(), "\x16\x03\x01\x02", 4, MSG_NOSIGNAL) == 4); }
  bench.turn();
  client.close();
  CHECK(bench.ended == 1);
  CHECK(bench.handshakes == std::vector{net::Handshake::kFailed});
}

TEST_CASE("TlsConnection: a handshake that is not done in time ends", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  bench.pass(bench.config.header_timeout - 1ms);
  CHECK(bench.ended == 0);
  // Another byte does not move the deadline.
  REQUIRE(::send(client.socket(), "\x16", 1, MSG_NOSIGNAL) == 1);
  bench.turn();
  bench.pass(2ms);
  CHECK(bench.ended == 1);
}

TEST_CASE("TlsConnection: requests whose records come at the same moment are all answered", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  bench.read_bodies();
  TlsClient client(bench, files.context());
  REQUIRE(client.connect());
  // OpenSSL reads several records from the socket at once, so the kernel does not tell of the later ones again.
  const std::string request = post("a body");
  for (int i = 0; i < 3; ++i) {
    for (const std::string& part : {request.substr(0, 30), request.substr(30)}) {
      REQUIRE(SSL_write(client.tls(), part.data(), static_cast<int>(part.size())) == static_cast<int>(part.size()));
    }
  }
  bench.turn();
  const auto answers = client.received();
  std::size_t count = 0;
  for (std::size_t at = 0; (at = answers.find("HTTP/1.1 200 ", at)) != std::string::npos; ++at) ++count;
  CHECK(count == 3);
}

TEST_CASE("TlsConnection: old versions, weak ciphers and other protocols are refused", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  SSL_CTX_set_security_level(client.context(), 0);
  SECTION("TLS 1.1") { SSL_CTX_set_max_proto_version(client.context(), TLS1_1_VERSION); }
  SECTION("a cipher without forward secrecy") {
    SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(client.context(), "AES128-GCM-SHA256:AES256-SHA");
  }
  SECTION("CBC") {
    SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(client.context(), "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384");
  }
  SECTION("a group that costs the server 1 ms and more") { SSL_CTX_set1_groups_list(client.context(), "P-384:P-521"); }
  SECTION("HTTP/2 alone") {
    SSL_CTX_set_alpn_protos(client.context(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);
  }
  CHECK_FALSE(client.connect());
  CHECK(bench.handshakes == std::vector{net::Handshake::kFailed});
  CHECK(bench.script.begun == 0);
}

TEST_CASE("TlsConnection: a client that offers HTTP/2 as well gets HTTP/1.1", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  SSL_CTX_set_alpn_protos(client.context(), reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
  REQUIRE(client.connect());
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(client.tls(), &chosen, &size);
  CHECK(std::string_view(reinterpret_cast<const char*>(chosen), size) == "http/1.1");
}

TEST_CASE("TlsConnection: no session is resumed", "[app][unit]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const ServerFiles files;
  ConnectionBench bench;
  const auto context = files.context();
  TlsClient first(bench, context);
  SSL_CTX_set_max_proto_version(first.context(), version);
  REQUIRE(first.connect());
  first.send(kGet);
  (void)first.received();
  SSL_SESSION* const session = SSL_get1_session(first.tls());
  TlsClient second(bench, context);
  SSL_CTX_set_max_proto_version(second.context(), version);
  second.begin();
  SSL_set_session(second.tls(), session);
  SSL_SESSION_free(session);
  REQUIRE(second.connect());
  CHECK(SSL_session_reused(second.tls()) == 0);
}

TEST_CASE("TlsConnection: a client asks for renegotiation in vain", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
  REQUIRE(client.connect());
  REQUIRE(SSL_renegotiate(client.tls()) == 1);
  CHECK_FALSE(client.connect());
  CHECK(bench.script.begun == 0);
}

TEST_CASE("TlsConnection: with client_ca a client needs a certificate of that authority", "[app][unit]") {
  const ServerFiles files(true);
  ConnectionBench bench;
  TlsClient client(bench, files.context());
  SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);  // in which the client hears of the refusal at once
  const auto use = [&](const Certificate& certificate) {
    SSL_CTX_use_certificate(client.context(), certificate.native());
    SSL_CTX_use_PrivateKey(client.context(), certificate.key());
  };
  SECTION("a certificate of that authority") {
    use(Certificate({.name = "camera", .issuer = &files.authority}));
    REQUIRE(client.connect());
    client.send(kGet);
    CHECK(ends_with(client.received(), "hello"));
  }
  SECTION("none") {
    CHECK_FALSE(client.connect());
    CHECK(bench.handshakes == std::vector{net::Handshake::kNoCertificate});
  }
  SECTION("another authority's") {
    const Certificate other({.name = "authority", .is_authority = true});
    use(Certificate({.name = "camera", .issuer = &other}));
    CHECK_FALSE(client.connect());
    CHECK(bench.handshakes == std::vector{net::Handshake::kNoCertificate});
  }
  SECTION("an expired one") {
    use(Certificate({.name = "camera", .valid_from = -48h, .valid_to = -24h, .issuer = &files.authority}));
    CHECK_FALSE(client.connect());
    CHECK(bench.handshakes == std::vector{net::Handshake::kNoCertificate});
  }
}

TEST_CASE("TlsConnection: a client that leaves while it waits for its answer is noticed", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  bench.script.begin = [](const RequestView&, Response&) { return Exchange::Next::kWait; };
  TlsClient client(bench, files.context());
  REQUIRE(client.connect());
  client.send(kGet);
  bench.pass(100ms);
  CHECK(bench.script.gone == 0);
  client.close();
  bench.pass(100ms);
  CHECK(bench.script.gone == 1);
  bench.script.proceed = [](Response& response) {
    write_text(response, "text/plain", "late");
    return Exchange::Next::kRespond;
  };
  bench.resume();
}

TEST_CASE("TlsConnection: an answer that the client reads slowly comes whole", "[app][unit]") {
  const ServerFiles files;
  ConnectionBench bench;
  std::string large(3U << 20U, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 19);
  bench.script.begin = [&](const RequestView&, Response& response) {
    write_text(response, "text/plain", large);
    return Exchange::Next::kRespond;
  };
  TlsClient client(bench, files.context());
  REQUIRE(client.connect());
  client.send(kGet);
  std::string text;
  for (int i = 0; i < 1000 && !ends_with(text, large); ++i) text += client.received();
  CHECK(ends_with(text, large));
}

// Answers each binary message by a script.
class ScriptedConversation final : public Conversation {
 public:
  explicit ScriptedConversation(ExchangeScript& script) : script_(script) {}
  [[nodiscard]] std::unique_ptr<Exchange> begin_message(Kind /*kind*/) override {
    return std::make_unique<ScriptedExchange>(script_);
  }
  void note_came(std::string_view /*text*/, Response& /*response*/) override {}
  [[nodiscard]] std::size_t most_unanswered() const override { return 4; }

 private:
  ExchangeScript& script_;
};

TEST_CASE("TlsConnection: a WebSocket takes and answers messages, and closes", "[app][unit]") {
  const std::size_t size = GENERATE(as<std::size_t>{}, 1, 16'384, 700'000);
  const ServerFiles files;
  ConnectionBench bench;
  ExchangeScript messages(bench.io);
  messages.begin = [](const RequestView&, Response&) { return Exchange::Next::kReadBody; };
  messages.body_came = [](std::string_view body, Response& response) {
    write_text(response, "text/plain", body);
    return Exchange::Next::kRespond;
  };
  bench.script.begin = [](const RequestView&, Response&) { return Exchange::Next::kUpgrade; };
  bench.script.converse = [&messages] { return std::make_unique<ScriptedConversation>(messages); };
  TlsClient client(bench, files.context());
  REQUIRE(client.connect());
  std::string came = client.send(tests::upgrade_request("/thing")).received();
  REQUIRE(came.starts_with("HTTP/1.1 101 "));
  came.erase(0, came.find("\r\n\r\n") + 4);
  const std::string message(size, 'm');
  for (int i = 0; i < 2; ++i) {
    client.send(tests::binary_frame(message));
    for (int turns = 0; turns < 50 && came.size() < size; ++turns) came += client.received();
    const auto frames = tests::take_frames(came);
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].payload == message);
  }
  client.send(tests::close_frame(1000));
  came += client.received();
  CHECK(tests::take_frames(came).size() == 1);
  CHECK(client.is_ended());
  CHECK(bench.ended == 1);
}

}  // namespace
}  // namespace yolod::app::http
