#include "app/http/handshake_turns.hpp"

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace yolod::app::http {
namespace {

TEST_CASE("HandshakeTurns: turns come in order, and other handlers run between two of them", "[app][unit]") {
  boost::asio::io_context io;
  HandshakeTurns turns(io);
  std::vector<std::string> order;
  for (const std::string name : {"first", "second", "third"}) {
    turns.wait(HandshakeTurns::Resume::from([&, name] { order.push_back(name); }));
  }
  CHECK(order.empty());
  boost::asio::post(io, [&] {
    order.emplace_back("other");
    boost::asio::post(io, [&] { order.emplace_back("other"); });
  });
  io.run();
  CHECK(order == std::vector<std::string>{"first", "other", "second", "other", "third"});
}

TEST_CASE("HandshakeTurns: a turn may ask for another turn", "[app][unit]") {
  boost::asio::io_context io;
  HandshakeTurns turns(io);
  int count = 0;
  turns.wait(HandshakeTurns::Resume::from([&] {
    ++count;
    turns.wait(HandshakeTurns::Resume::from([&] { ++count; }));
  }));
  io.run();
  CHECK(count == 2);
}

}  // namespace
}  // namespace yolod::app::http
