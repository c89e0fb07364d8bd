#include "app/http/connection.hpp"

#include "app/accounts/protocol/digest.hpp"
#include "tests/unit/app/http/connection_bench.hpp"

namespace yolod::app::http {
namespace {

using namespace std::chrono_literals;
using Client = ConnectionBench::Client;
using Next = Exchange::Next;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

constexpr std::string_view kGet = "GET /thing HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(std::string_view body, std::string_view fields = "") {
  return "POST /thing HTTP/1.1\r\nHost: a\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
constexpr std::string_view kChunkedHead = "POST /thing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

// ---- heads ----

TEST_CASE("Connection: one request after another is answered on the same connection", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  for (int i = 1; i <= 3; ++i) {
    const auto answer = client.send(kGet).received();
    CHECK_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n") && EndsWith("\r\n\r\nhello"));
    CHECK_THAT(answer, !Contains("Connection: close"));
    CHECK(bench.script.begun == i);
  }
  CHECK_FALSE(client.is_ended());
  CHECK(bench.script.statuses == std::vector{200, 200, 200});
}

TEST_CASE("Connection: requests that arrive together are answered in order, and other connections have their turn",
          "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  int number = 0;
  bench.script.begin = [&number](const RequestView&, Response& response) {
    write_text(response, "text/plain", "answer " + std::to_string(number++) + ";");
    return Next::kRespond;
  };
  std::string many;
  for (int i = 0; i < 100; ++i) many += kGet;
  const auto answers = client.send(many).received();
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    at = answers.find("answer " + std::to_string(i) + ";", at);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("Connection: a head that arrives byte by byte is one request", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  for (const char byte : kGet) client.send({&byte, 1});
  CHECK_THAT(client.received(), StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK(bench.script.begun == 1);
}

TEST_CASE("Connection: a few empty lines before a request are skipped", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  client.send("\r").send("\n\r\n").send(kGet);
  CHECK_THAT(client.received(), StartsWith("HTTP/1.1 200 OK\r\n"));
  client.send("\r\n\r\n\r\n\r\n\r\n\r\n").send(kGet);
  CHECK_THAT(client.received(), StartsWith("HTTP/1.1 400 "));
}

TEST_CASE("Connection: an HTTP/1.0 client gets one answer, unless it asks for keep-alive", "[app][unit]") {
  ConnectionBench bench;
  Client once(bench);
  once.send("GET /thing HTTP/1.0\r\n\r\n");
  CHECK_THAT(once.received(), StartsWith("HTTP/1.0 200 OK\r\n"));
  CHECK(once.is_ended());
  Client kept(bench);
  kept.send("GET /thing HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK_THAT(kept.received(), Contains("Connection: keep-alive\r\n"));
  CHECK_FALSE(kept.is_ended());
}

TEST_CASE("Connection: an answer to HEAD has the length of the content and no content", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  client.send("HEAD /thing HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THAT(client.received(), Contains("Content-Length: 5\r\n") && EndsWith("\r\n\r\n"));
}

TEST_CASE("Connection: a valid X-Request-Id is returned, any other is replaced", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  client.send("GET /thing HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\n\r\n");
  CHECK_THAT(client.received(), Contains("X-Request-Id: mine-1\r\n"));
  client.send("GET /thing HTTP/1.1\r\nHost: a\r\nX-Request-Id: not sane\r\n\r\n");
  CHECK_THAT(client.received(), Contains("X-Request-Id: ") && !Contains("not sane"));
}

TEST_CASE("Connection: a head that is not HTTP is refused, and the connection ends", "[app][unit]") {
  const std::string head =
      GENERATE("nonsense\r\n\r\n", "GET /thing HTTP/3.0\r\n\r\n", "GET /thing HTTP/1.1\r\nHost a\r\n\r\n",
               "GET /thing HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "GET thing HTTP/1.1\r\nHost: a\r\n\r\n",
               "GET /thing HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /thing HTTP/1.1\n\n");
  CAPTURE(head);
  ConnectionBench bench;
  Client client(bench);
  client.send(head);
  CHECK_THAT(client.received(), StartsWith("HTTP/1.1 400 ") && Contains("Connection: close\r\n"));
  CHECK(bench.script.begun == 0);
  CHECK(bench.refused.size() == 1);
  CHECK(bench.statuses == std::vector{400});
  client.shut_down();
  CHECK(client.is_ended());
  CHECK(bench.ended == 1);
}

TEST_CASE("Connection: a head that is too large is refused", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  client.send("GET /thing HTTP/1.1\r\nHost: a\r\nX: " + std::string(17'000, 'a'));
  CHECK(bench.refused == std::vector<std::string>{"the request's header is larger than 16 KiB"});
}

TEST_CASE("Connection: a request without a route, a method or a permission makes no exchange", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  const auto ask = [&](const std::string& line) {
    return client.send(line + " HTTP/1.1\r\nHost: a\r\n\r\n").received();
  };
  CHECK_THAT(ask("GET /nothing"), Contains("there is no such path"));
  CHECK_THAT(ask("DELETE /thing"),
             Contains("does not allow the method") && Contains("Allow: GET, HEAD, POST, OPTIONS\r\n"));
  CHECK_THAT(ask("POST /admin"), Contains("this path is only for admins"));
  CHECK(bench.script.begun == 0);
  CHECK_THAT(ask("GET /status"), Contains("200 OK"));
  bench.config.admin_listen = "unix:/x";
  CHECK_THAT(ask("GET /status"), Contains("this path is only for admins"));
  CHECK_FALSE(client.is_ended());

  // This process is the server's own, so it may not administer. A path for clients does not exist on this listener.
  Client admin(bench, net::ListenerRole::kAdmin);
  CHECK_THAT(admin.send("GET /thing HTTP/1.1\r\nHost: a\r\n\r\n").received(),
             Contains("this path is not served at the admin address"));
  CHECK_THAT(admin.send("POST /admin HTTP/1.1\r\nHost: a\r\n\r\n").received(), Contains("may administer the server"));
  CHECK(bench.script.begun == 1);
}

// ---- OPTIONS, and pages of other sites ----

TEST_CASE("Connection: OPTIONS tells the methods of every path, without an exchange", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  const auto ask = [&](const std::string& line) {
    return client.send(line + " HTTP/1.1\r\nHost: a\r\n\r\n").received();
  };
  const auto thing = ask("OPTIONS /thing");
  CHECK_THAT(thing, StartsWith("HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, POST, OPTIONS\r\nDate: ") &&
                        EndsWith("\r\n\r\n") && !Contains("Content-") && !Contains("Vary") && !Contains("Access-"));
  CHECK_THAT(ask("OPTIONS /thing/a"), Contains("Allow: GET, OPTIONS\r\n"));
  CHECK_THAT(ask("OPTIONS /healthz"), Contains("Allow: GET, HEAD, OPTIONS\r\n"));
  CHECK_THAT(ask("OPTIONS *"), Contains("204 No Content") && Contains("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, "));
  CHECK_THAT(ask("OPTIONS /nothing"), Contains("there is no such path"));
  CHECK_THAT(ask("OPTIONS /admin"), Contains("this path is only for admins"));
  CHECK_THAT(ask("GET *"), Contains("the request target is not valid"));
  CHECK(bench.script.begun == 0);
  // The body of a request that needs none is not read, so the connection ends.
  Client other(bench);
  CHECK_THAT(other.send("OPTIONS /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n").received(),
             Contains("204 No Content") && Contains("Connection: close"));
}

TEST_CASE("Connection: without server.cors a page of another site gets no permission", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  const auto answer = client
                          .send(
                              "OPTIONS /thing HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n"
                              "Access-Control-Request-Method: POST\r\n\r\n")
                          .received();
  CHECK_THAT(answer, Contains("204 No Content") && !Contains("Access-Control") && !Contains("Vary"));
  CHECK_THAT(client.send("GET /thing HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n\r\n").received(),
             Contains("200 OK") && !Contains("Access-Control") && !Contains("Vary"));
}

TEST_CASE("Connection: a page of an allowed site reads answers, also errors, and sends what its browser asks for",
          "[app][unit]") {
  ConnectionBench bench;
  bench.config.cors.origins = {"https://a.example", "http://b.example:8123"};
  Client client(bench);
  const auto ask = [&](const std::string& line, const std::string& fields) {
    return client.send(line + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n").received();
  };
  const auto thing = ask("GET /thing", "Origin: http://b.example:8123\r\n");
  CHECK_THAT(thing, Contains("200 OK") &&
                        Contains("\r\nVary: Origin\r\nAccess-Control-Allow-Origin: "
                                 "http://b.example:8123\r\nAccess-Control-Expose-Headers: ") &&
                        !Contains("Credentials") && !Contains("Allow-Methods"));
  CHECK_THAT(ask("GET /nothing", "Origin: https://a.example\r\n"),
             Contains("there is no such path") && Contains("Access-Control-Allow-Origin: https://a.example\r\n"));
  CHECK_THAT(ask("DELETE /thing", "Origin: https://a.example\r\n"), Contains("Access-Control-Allow-Origin"));

  const auto preflight = ask("OPTIONS /thing",
                             "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"
                             "Access-Control-Request-Headers: authorization\r\n");
  CHECK_THAT(preflight, StartsWith("HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"
                                   "Access-Control-Allow-Methods: GET, HEAD, POST\r\n"
                                   "Access-Control-Allow-Headers: Authorization, ") &&
                            Contains("Access-Control-Max-Age: 600\r\n") &&
                            Contains("Access-Control-Allow-Origin: https://a.example\r\n"));

  // An answer without permission must not be given to an allowed site from a cache either.
  const std::string other = GENERATE("", "Origin: https://c.example\r\n", "Origin: null\r\n",
                                     "Origin: https://a.example.evil\r\n", "Origin: https://A.example\r\n");
  CAPTURE(other);
  CHECK_THAT(ask("GET /thing", other), Contains("Vary: Origin\r\n") && !Contains("Access-Control"));
  CHECK_THAT(ask("OPTIONS /thing", other + "Access-Control-Request-Method: POST\r\n"),
             Contains("204 No Content") && Contains("Vary: Origin\r\n") && !Contains("Access-Control"));
}

TEST_CASE("Connection: every site may be allowed, and sessions only for sites that are named", "[app][unit]") {
  ConnectionBench bench;
  bench.config.cors.origins = {"*"};
  Client client(bench);
  const std::string get = "GET /thing HTTP/1.1\r\nHost: a\r\nOrigin: https://c.example\r\n\r\n";
  CHECK_THAT(client.send(get).received(), Contains("Access-Control-Allow-Origin: *\r\n") && !Contains("Credentials"));
  bench.config.cors = {{"https://c.example"}, true, 0ms};
  CHECK_THAT(client.send(get).received(), Contains("Access-Control-Allow-Origin: https://c.example\r\n"
                                                   "Access-Control-Allow-Credentials: true\r\n"));
}

TEST_CASE("Connection: no other site may use the admin socket, or change people and models", "[app][unit]") {
  ConnectionBench bench;
  bench.config.cors.origins = {"*"};
  const std::string preflight =
      " HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n\r\n";
  Client admin(bench, net::ListenerRole::kAdmin);
  CHECK_THAT(admin.send("OPTIONS /admin" + preflight).received(),
             Contains("may administer the server") && !Contains("Access-Control") && !Contains("Vary"));
  Client client(bench);
  CHECK_THAT(client.send("OPTIONS /people" + preflight).received(),
             Contains("204 No Content") && Contains("Allow: POST, OPTIONS") && !Contains("Access-Control"));
}

TEST_CASE("Connection: an exchange sees the head, the captures of the path, and its start time", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  std::string seen;
  bench.script.begin = [&seen](const RequestView& request, Response& response) {
    seen = std::string(request.captures.at(0)) + ' ' + std::string(request.target.query().at(0).second);
    CHECK(request.began <= ConnectionBench::Clock::now());
    write_text(response, "text/plain", "");
    return Next::kRespond;
  };
  client.send("GET /thing/one%20two?a=b HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(seen == "one two b");
}

// ---- bodies ----

TEST_CASE("Connection: a body arrives complete, however it is cut", "[app][unit]") {
  const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{100'000});
  ConnectionBench bench;
  bench.read_bodies();
  Client client(bench);
  const std::string request = post("0123456789");
  for (std::size_t at = 0; at < request.size(); at += piece) client.send(std::string_view(request).substr(at, piece));
  CHECK_THAT(client.received(), EndsWith("\r\n\r\n0123456789"));
  CHECK_THAT(client.send(kGet.substr(0, 3)).send(kGet.substr(3)).received(), StartsWith("HTTP/1.1 "));
}

TEST_CASE("Connection: a large body is read in pieces, and the next request follows it", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  Client client(bench);
  std::string body(150'000, 'a');
  body.back() = 'z';
  std::string seen;
  bench.script.body_came = [&seen](std::string_view came, Response& response) {
    seen = came;
    write_text(response, "text/plain", "taken");
    return Next::kRespond;
  };
  client.send(post(body) + post("second"));
  CHECK(seen == "second");
  CHECK(count(client.received(), "taken") == 2);
}

TEST_CASE("Connection: a chunked body arrives complete, also when it outgrows its first room", "[app][unit]") {
  const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{13}, std::size_t{100'000});
  ConnectionBench bench;
  bench.read_bodies();
  Client client(bench);
  const std::string request = std::string(kChunkedHead) + "28\r\n" + std::string(40, 'a') + "\r\n28;x=y\r\n" +
                              std::string(40, 'b') + "\r\n0\r\nT: 1\r\n\r\n";
  for (std::size_t at = 0; at < request.size(); at += piece) {
    client.send(std::string_view(request).substr(at, piece));
    if (bench.script.give_room) bench.give_room();
  }
  CHECK_THAT(client.received(), EndsWith("\r\n\r\n" + std::string(40, 'a') + std::string(40, 'b')));
}

TEST_CASE("Connection: a large chunk is read straight into the room", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  bench.script.rule = {1U << 20U, 1U << 18U};
  Client client(bench);
  client.send(kChunkedHead).send("186a0\r\n").send(std::string(100'000, 'a')).send("\r\n3\r\nbcd\r\n0\r\n\r\n");
  CHECK_THAT(client.received(), EndsWith("abcd"));
}

TEST_CASE("Connection: a chunked body without further room is refused", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  Client client(bench);
  client.send(kChunkedHead).send("50\r\n" + std::string(80, 'a'));
  // The body's own time does not include the wait.
  bench.pass(bench.config.body_timeout + 1s);
  bench.give_room(common::Error{common::ErrorCode::kQueueFull, "too busy"});
  CHECK_THAT(client.received(), StartsWith("HTTP/1.1 503 "));
  CHECK(bench.script.dropped_rooms == 1);
}

TEST_CASE("Connection: a wait for more room does not count against the client", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  Client client(bench);
  client.send(kChunkedHead).send("50\r\n" + std::string(80, 'a'));
  bench.pass(bench.config.body_timeout + 1s);
  bench.give_room();
  bench.pass(100ms);
  client.send("\r\n0\r\n\r\n");
  CHECK_THAT(client.received(), StartsWith("HTTP/1.1 200 "));
}

TEST_CASE("Connection: an impossible body is refused, and the connection ends", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  bench.script.rule = {100, 64};
  Client client(bench);
  SECTION("the request has no body") {
    client.send("POST /thing HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(bench.script.refused == std::vector<std::string>{"the request has no body"});
  }
  SECTION("the chunked body is empty") {
    client.send(kChunkedHead).send("0\r\n\r\n");
    CHECK(bench.script.refused == std::vector<std::string>{"the request has no body"});
  }
  SECTION("the body is larger than the limit") {
    client.send("POST /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n");
    CHECK(bench.script.statuses == std::vector{413});
  }
  SECTION("a chunk exceeds the limit") {
    client.send(kChunkedHead).send("65\r\n");
    CHECK(bench.script.statuses == std::vector{413});
  }
  SECTION("the chunks are malformed") {
    client.send(kChunkedHead).send("no\r\n");
    CHECK(bench.script.refused == std::vector<std::string>{"the chunked body does not follow RFC 9112"});
  }
  SECTION("the trailers have no end") {
    client.send(kChunkedHead).send("1\r\na\r\n0\r\nT: " + std::string(17'000, 'a'));
    CHECK(bench.script.refused == std::vector<std::string>{"the trailer fields are larger than 16 KiB"});
  }
  SECTION("a sized body ends early") {
    client.send("POST /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").shut_down();
    CHECK(bench.script.refused == std::vector<std::string>{"the request ended early"});
  }
  SECTION("a chunked body ends early, in a size or in a chunk") {
    bench.script.rule = {1U << 20U, 1U << 20U};
    const std::string began = GENERATE("", "5", "5\r\nab", "ffff\r\nab");
    client.send(std::string(kChunkedHead) + began).shut_down();
    CHECK(bench.script.refused == std::vector<std::string>{"the request ended early"});
  }
  CHECK(bench.script.dropped_rooms == 1);
  CHECK_THAT(client.received(), Contains("Connection: close\r\n"));
  client.close();
  CHECK(bench.ended == 1);
}

TEST_CASE("Connection: a client that expects 100 Continue gets it before its body is read", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  Client client(bench);
  client.send("POST /thing HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.received() == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK_THAT(client.send("abc").received(), EndsWith("\r\n\r\nabc"));
}

TEST_CASE("Connection: a body waits for room and is read once it has room", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  bench.script.has_room = false;
  Client client(bench);
  client.send(post("abc"));
  CHECK(client.received().empty());
  SECTION("the room becomes free") {
    bench.give_room();
    CHECK_THAT(client.received(), EndsWith("\r\n\r\nabc"));
  }
  SECTION("the room does not become free in time") {
    bench.give_room(common::Error{common::ErrorCode::kQueueFull, "too busy"});
    CHECK_THAT(client.received(), StartsWith("HTTP/1.1 503 "));
  }
  SECTION("the client disconnects") {
    client.close();
    bench.pass(100ms);
    CHECK(bench.script.gone == 1);
    CHECK(bench.ended == 1);
  }
  SECTION("the connection is evicted") {
    bench.connections.close_all();
    bench.turn();
    CHECK(bench.script.gone == 1);
    CHECK(bench.ended == 1);
  }
}

TEST_CASE("Connection: a client that declares a body and sends nothing holds no room", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  bench.script.has_room = false;
  Client client(bench);
  client.send("POST /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
  CHECK_FALSE(bench.script.give_room);
  bench.pass(bench.config.body_timeout + 1ms);
  CHECK_THAT(client.received(), StartsWith("HTTP/1.1 408 "));
}

// ---- time ----

TEST_CASE("Connection: a head or a body that does not arrive in time is answered with 408", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  Client client(bench);
  SECTION("a head stops") {
    client.send("GET /th");
    bench.pass(bench.config.header_timeout - 100ms);
    CHECK(client.received().empty());
    bench.pass(200ms);
    CHECK(bench.refused == std::vector<std::string>{"the request did not arrive in time"});
  }
  SECTION("a body stops") {
    client.send("POST /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
    bench.pass(1900ms);
    CHECK(client.received().empty());
    bench.pass(1s);
    CHECK(bench.script.refused == std::vector<std::string>{"the request did not arrive in time"});
  }
  SECTION("a chunked body never ends") {
    client.send(kChunkedHead);
    for (int i = 0; i < 29; ++i) {
      client.send("1\r\na\r\n");
      bench.pass(100ms);
    }
    CHECK(bench.script.refused == std::vector<std::string>{"the request did not arrive in time"});
  }
  CHECK_THAT(client.received(), Contains("Connection: close\r\n"));
}

TEST_CASE("Connection: an idle connection is closed after idle_timeout, without an answer", "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  const bool after_a_request = GENERATE(false, true);
  if (after_a_request) client.send(kGet);
  (void)client.received();
  bench.pass(bench.config.idle_timeout - 1s);
  CHECK_FALSE(client.is_ended());
  bench.pass(2s);
  CHECK(client.is_ended());
  CHECK(bench.ended == 1);
}

TEST_CASE("Connection: an upload is evicted for others, and gets 503 if it kept the pace", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  Client client(bench);
  // The body sends 100,000 bytes. After one second of thirty the upload is ahead of its pace; after twenty seconds
  // the
  // same bytes are behind it.
  const std::string head = "POST /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
  client.send(head).send(std::string(100'000, 'a'));
  const bool keeps_pace = GENERATE(true, false);
  bench.pass(keeps_pace ? 1000ms : 1900ms);
  if (!keeps_pace) {
    bench.config.body_timeout = 12s;
    bench.script.rule.limit_bytes = 1U << 20U;
  }
  bench.shortage = {500'000, 500'000};
  bench.pass(keeps_pace ? 10ms : 10ms);
  const auto answer = client.received();
  CHECK_THAT(answer, StartsWith(keeps_pace ? "HTTP/1.1 503 " : "HTTP/1.1 408 "));
}

TEST_CASE("Connection: only an upload that yields is evicted for bodies with an unchecked key", "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  bench.script.yields = GENERATE(true, false);
  Client client(bench);
  client.send("POST /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + std::string(100'000, 'a'));
  bench.pass(1000ms);
  CHECK(client.received().empty());
  bench.of_unchecked = {500'000, 500'000};
  bench.pass(10ms);
  CHECK(client.received().empty() != bench.script.yields);
}

// ---- waits ----

TEST_CASE("Connection: an exchange waits, lets other connections have their turn, and writes in pieces",
          "[app][unit]") {
  ConnectionBench bench;
  Client client(bench);
  Client other(bench);
  int step = 0;
  bench.script.begin = [](const RequestView&, Response&) { return Next::kWait; };
  bench.script.proceed = [&step](Response& response) {
    switch (++step) {
      case 1: return Next::kNextTurn;
      case 2:
        response.start(boost::beast::http::status::ok, "text/plain");
        response.body += "one ";
        return Next::kWriteMore;
      case 3: response.body += "two "; return Next::kWriteMore;
      default: response.body += "three"; return Next::kRespond;
    }
  };
  client.send(kGet);
  CHECK(client.received().empty());
  // The answer of another connection between the turns does not change the unfinished answer.
  other.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
  bench.resume();
  CHECK_THAT(client.received(), EndsWith("\r\n\r\none two three"));
  CHECK(step == 4);
}

TEST_CASE("Connection: answers that are written in pieces at the same time do not mix", "[app][unit]") {
  ConnectionBench bench;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(std::make_unique<Client>(bench));
  int begun = 0;
  bench.script.begin = [&begun](const RequestView&, Response& response) {
    response.start(boost::beast::http::status::ok, "text/plain");
    response.body += std::to_string(begun++);
    return Next::kWriteMore;
  };
  bench.script.proceed = [](Response& response) {
    response.body += 'x';
    return response.body.size() < 20 ? Next::kWriteMore : Next::kRespond;
  };
  // The clients send all requests before the event loop runs.
  for (auto& client : clients) client->send(kGet);
  bench.turn();
  for (int i = 0; i < 5; ++i) {
    CHECK_THAT(clients[static_cast<std::size_t>(i)]->received(),
               EndsWith("\r\n\r\n" + std::to_string(i) + std::string(19, 'x')));
  }
}

TEST_CASE("Connection: a waiting exchange is notified when its client has disconnected", "[app][unit]") {
  ConnectionBench bench;
  bench.script.begin = [](const RequestView&, Response&) { return Next::kWait; };
  bench.script.proceed = [](Response& response) {
    write_text(response, "text/plain", "too late");
    return Next::kRespond;
  };
  Client client(bench);
  client.send(kGet);
  bench.pass(100ms);
  CHECK(bench.script.gone == 0);
  SECTION("the client has closed its socket") {
    client.close();
    bench.pass(100ms);
    CHECK(bench.script.gone == 1);
    bench.resume();
    CHECK(bench.ended == 1);
  }
  SECTION("the client has shut down its sending side and still listens") {
    client.shut_down();
    bench.pass(100ms);
    bench.pass(100ms);
    CHECK(bench.script.gone == 0);
    bench.resume();
    CHECK_THAT(client.received(), EndsWith("too late"));
  }
}

TEST_CASE("Connection: an exchange that ignores its client does not make the server check the client", "[app][unit]") {
  ConnectionBench bench;
  bench.script.minds_client = false;
  bench.script.begin = [](const RequestView&, Response&) { return Next::kWait; };
  bench.script.proceed = [](Response& response) {
    write_text(response, "text/plain", "done");
    return Next::kRespond;
  };
  Client client(bench);
  client.send(kGet);
  client.shut_down();
  bench.pass(100ms);
  bench.pass(100ms);
  CHECK(client.received().empty());  // the server sends no 102 Processing
  bench.resume();
  CHECK_THAT(client.received(), StartsWith("HTTP/1.1 200 ") && EndsWith("done"));
}

// ---- access ----

// The key "k" of this server may have one request in flight.
void limit_key(ConnectionBench& bench) {
  access::FileKey key;
  key.name = "one";
  key.digest = accounts::protocol::digest_of("k");
  bench.gate_.door().use_file_keys({key});
  bench.gate_.limits().configure({.requests_in_flight = 1}, {});
}

std::string get_with_key() { return "GET /thing HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\n\r\n"; }

TEST_CASE("Connection: a request in flight comes back when its answer begins", "[app][access][unit]") {
  ConnectionBench bench;
  limit_key(bench);
  bench.script.begin = [](const RequestView&, Response&) { return Next::kWait; };
  bench.script.proceed = [](Response& response) {
    write_text(response, "text/plain", "done");
    return Next::kRespond;
  };
  Client first(bench);
  Client second(bench);
  first.send(get_with_key());
  CHECK_THAT(second.send(get_with_key()).received(), Contains("too many requests in flight"));
  CHECK(bench.script.begun == 1);
  bench.resume();
  CHECK_THAT(first.received(), EndsWith("done"));
  CHECK_FALSE(second.is_ended());
  second.send(get_with_key());
  CHECK(bench.script.begun == 2);
  bench.resume();
  CHECK_THAT(second.received(), EndsWith("done"));
}

TEST_CASE("Connection: a request in flight comes back however it ends", "[app][access][unit]") {
  ConnectionBench bench;
  limit_key(bench);
  bench.script.begin = [](const RequestView&, Response&) { return Next::kWait; };
  bench.script.proceed = [](Response& response) {
    write_text(response, "text/plain", "done");
    return Next::kRespond;
  };
  auto client = std::make_unique<Client>(bench);
  SECTION("its client leaves while the exchange waits") {
    client->send(get_with_key());
    client->close();
    bench.pass(100ms);
    bench.resume();
  }
  SECTION("its client leaves within the body") {
    bench.read_bodies();
    client->send("POST /thing HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\nContent-Length: 10\r\n\r\n123");
    client->close();
  }
  SECTION("its client leaves while the body waits for room") {
    bench.read_bodies();
    bench.script.has_room = false;
    client->send("POST /thing HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\nContent-Length: 3\r\n\r\n123");
    client->close();
    bench.pass(100ms);
    bench.script.has_room = true;
  }
  SECTION("its body is late") {
    bench.read_bodies();
    client->send("POST /thing HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\nContent-Length: 10\r\n\r\n123");
    bench.pass(60s);
  }
  SECTION("its body is too large") {
    bench.read_bodies();
    client->send("POST /thing HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\nContent-Length: 99999999\r\n\r\n");
  }
  SECTION("the server evicts the connection") {
    client->send(get_with_key());
    bench.connections.close_all();
    bench.turn();
    if (bench.script.resume) bench.resume();
  }
  bench.script.begin = [](const RequestView&, Response& response) {
    write_text(response, "text/plain", "next");
    return Next::kRespond;
  };
  Client next(bench);
  CHECK_THAT(next.send(get_with_key()).received(), EndsWith("next"));
}

TEST_CASE("Connection: an exchange knows the id that its answer has", "[app][access][unit]") {
  ConnectionBench bench;
  std::string seen;
  bench.script.begin = [&seen](const RequestView& request, Response& response) {
    seen = request.request_id;
    write_text(response, "text/plain", "");
    return Next::kRespond;
  };
  Client client(bench);
  const auto answer = client.send(kGet).received();
  CHECK(seen.size() == 16);
  CHECK_THAT(answer, Contains("X-Request-Id: " + seen + "\r\n"));
  client.send("GET /thing HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\n\r\n");
  CHECK(seen == "mine-1");
}

// ---- answers ----

TEST_CASE("Connection: a slow client gets a large answer completely", "[app][unit]") {
  ConnectionBench bench;
  std::string large(5U << 20U, 'a');
  large.back() = 'z';
  bench.script.begin = [&large](const RequestView&, Response& response) {
    write_text(response, "text/plain", large);
    return Next::kRespond;
  };
  Client client(bench);
  client.send(kGet);
  std::string answer;
  for (int i = 0; i < 1000 && !answer.ends_with('z'); ++i) {
    answer += client.received(100'000);
    bench.turn();
  }
  CHECK(answer.ends_with("aaz"));
  CHECK(count(answer, "HTTP/1.1 200 OK") == 1);
  CHECK_THAT(client.send(kGet).received(100), StartsWith("HTTP/1.1 200 "));
}

TEST_CASE("Connection: a client that does not read its answer is cut off after write_timeout", "[app][unit]") {
  ConnectionBench bench;
  const std::string large(5U << 20U, 'a');
  bench.script.begin = [&large](const RequestView&, Response& response) {
    write_text(response, "text/plain", large);
    return Next::kRespond;
  };
  Client client(bench);
  client.send(kGet);
  bench.pass(bench.config.write_timeout - 1s);
  CHECK(bench.ended == 0);
  bench.pass(2s);
  CHECK(bench.ended == 1);
}

TEST_CASE("Connection: after an early answer the server reads on for a while, so that the answer arrives",
          "[app][unit]") {
  ConnectionBench bench;
  bench.read_bodies();
  bench.script.rule.limit_bytes = 10;
  Client client(bench);
  client.send(post(std::string(1000, 'a')));
  CHECK_THAT(client.received(), StartsWith("HTTP/1.1 413 "));
  client.send(std::string(50'000, 'b'));
  CHECK(bench.ended == 0);
  SECTION("the server reads until the client closes") { client.close(); }
  SECTION("the server reads for at most two seconds") {
    bench.pass(2100ms);
    bench.pass(100ms);  // the round of checks may have begun after this connection
  }
  CHECK(bench.ended == 1);
}

TEST_CASE("Connection: a server that stops closes idle connections, and others after their answers", "[app][unit]") {
  ConnectionBench bench;
  Client busy(bench);
  Client idle(bench);
  idle.send(kGet);
  (void)idle.received();
  bench.drains = true;
  CHECK_THAT(busy.send(kGet).received(), Contains("Connection: close\r\n"));
  CHECK(busy.is_ended());
  CHECK_FALSE(idle.is_ended());
  bench.connections.close_idle();
  bench.turn();
  CHECK(idle.is_ended());
  CHECK(bench.connections.count() == 0);
}

// ---- places ----

TEST_CASE("Connection: a full server still shows its health, and refuses other requests", "[app][unit]") {
  ConnectionBench bench(1);
  bench.script.begin = [](const RequestView& request, Response& response) {
    if (request.target.path() == "/thing") return Next::kWait;
    write_text(response, "text/plain", "well");
    return Next::kRespond;
  };
  bench.script.proceed = [](Response& response) {
    write_text(response, "text/plain", "done");
    return Next::kRespond;
  };
  Client busy(bench);
  busy.send(kGet);
  Client asks(bench);
  CHECK_THAT(asks.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").received(),
             EndsWith("well") && Contains("Connection: close\r\n"));
  Client refused(bench);
  CHECK_THAT(refused.send(kGet).received(), Contains("too many connections"));
  bench.resume();
  CHECK_THAT(busy.received(), EndsWith("done"));
}

TEST_CASE("Connection: a request in the reserve waits briefly for a place that may become free", "[app][unit]") {
  ConnectionBench bench(1);
  Client idle(bench);
  idle.send(kGet);
  bench.skip(160ms);  // after 90 ms this connection may be closed for another
  Client waits(bench);
  waits.send(kGet);
  CHECK(waits.received().empty());
  bench.skip(100ms);
  const auto end = common::Clock::now() + 2s;
  std::string answer;
  while (answer.empty() && common::Clock::now() < end) {
    bench.io.restart();
    bench.io.run_one_for(20ms);
    answer = waits.received();
  }
  CHECK_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace yolod::app::http
