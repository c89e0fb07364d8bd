#include "app/api/oip/copy_thread.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "common/awake_clock.hpp"
#include "common/system/thread_count.hpp"
#include "tests/support/shared_object.hpp"

namespace yolod::app::api::oip::copy_thread_test {
namespace {

using common::ErrorCode;
using tests::SharedObject;

struct CopyBench {
  CopyBench() {
    auto opened = SharedRegion::open("r", object.name(), 0, 1000);
    REQUIRE(opened.ok());
    part = {*opened, 0, 1000};
  }

  // Copies from the object, and waits for the end.
  common::Outcome<bool> read(PieceCopy& copy, std::string& to) {
    const auto bytes = std::as_writable_bytes(std::span(to.data(), to.size()));
    auto done = copy.read(part, 0, bytes);
    while (done && !*done) {
      wait(copy);
      done = copy.read(part, 0, bytes);
    }
    return done;
  }
  void wait(PieceCopy& copy) {
    bool is_over = false;
    copy.wait(common::Completion<>::from([&is_over] { is_over = true; }));
    while (!is_over) {
      io.restart();
      io.run_one();
    }
  }
  // Begins a copy that nothing waits for.
  bool begin(PieceCopy& copy) {
    std::string to(10, '\0');
    return copy.read(part, 0, std::as_writable_bytes(std::span(to.data(), to.size()))).ok();
  }

  SharedObject object{1000};
  SharedPart part;
  boost::asio::io_context io;
  CopyThread thread{io};
};

TEST_CASE("CopyThread: bytes are copied both ways, and the process may fork meanwhile", "[app][oip][unit]") {
  CopyBench bench;
  bench.object.write("0123456789");
  PieceCopy copy(&bench.thread);
  std::string text(10, '\0');
  REQUIRE(bench.read(copy, text).ok());
  CHECK(text == "0123456789");
  common::require_single_thread();  // it would abort
  const std::string more = "abc";
  std::uint64_t grown_bytes = 0;
  const auto put = [&] {
    return copy.write(bench.part, 2, std::as_bytes(std::span(more.data(), more.size())), true, grown_bytes);
  };
  for (auto done = put(); !done.ok() || !*done; done = put()) {
    REQUIRE(done.ok());
    bench.wait(copy);
  }
  CHECK(bench.object.read(10) == "01abc56789");
  bench.object.resize(5);
  CHECK(bench.read(copy, text).error().message.find("has become too short") != std::string::npos);
}

TEST_CASE("CopyThread: a request whose client is gone need not wait for its copy", "[app][oip][unit]") {
  CopyBench bench;
  PieceCopy copy(&bench.thread);
  REQUIRE(bench.begin(copy));
  REQUIRE(copy.is_waiting());
  bool is_over = false;
  copy.wait(common::Completion<>::from([&is_over] { is_over = true; }));
  copy.leave();
  CHECK_FALSE(is_over);  // not from within leave()
  bench.io.run();
  CHECK(is_over);
  std::string text(10, '\0');
  CHECK(bench.read(copy, text).error().code == ErrorCode::kClientGone);
}

TEST_CASE("CopyThread: a request gives up a copy that takes too long", "[app][oip][unit]") {
  CopyBench bench;
  PieceCopy copy(&bench.thread);
  REQUIRE(bench.begin(copy));
  bool is_over = false;
  copy.wait(common::Completion<>::from([&is_over] { is_over = true; }));
  bench.thread.tick(common::AwakeClock::now());
  CHECK_FALSE(is_over);
  bench.thread.tick(common::AwakeClock::now() + std::chrono::seconds(10));
  CHECK(is_over);
  std::string text(10, '\0');
  CHECK(bench.read(copy, text).error().code == ErrorCode::kQueueFull);
  bench.io.run();  // the thread still finishes the copy
}

TEST_CASE("CopyThread: the copies of ended requests count until they are done", "[app][oip][unit]") {
  CopyBench bench;
  for (std::size_t i = 0; i < CopyThread::kMostCopies; ++i) {
    PieceCopy copy(&bench.thread);
    REQUIRE(bench.begin(copy));
  }
  PieceCopy further(&bench.thread);
  CHECK_FALSE(bench.begin(further));
  CHECK_FALSE(further.is_waiting());
  bench.io.run();
  std::string text(10, '\0');
  CHECK(bench.read(further, text).ok());
}

TEST_CASE("CopyThread: the objects of ended regions are closed on the thread", "[app][oip][unit]") {
  CopyBench bench;
  PieceCopy copy(&bench.thread);
  std::string text(10, '\0');
  REQUIRE(bench.read(copy, text).ok());
  auto region = *SharedRegion::open("q", bench.object.name(), 0, 1000);
  region->close = bench.thread.closer();
  const int file = region->file.get();
  region.reset();
  CHECK(bench.thread.closing_count() == 1);
  bench.io.restart();
  bench.io.run();
  CHECK(bench.thread.closing_count() == 0);
  CHECK(::fcntl(file, F_GETFD) < 0);
}

TEST_CASE("CopyThread: a region that outlives the thread closes its object itself", "[app][oip][unit]") {
  const SharedObject object(10);
  auto region = *SharedRegion::open("q", object.name(), 0, 10);
  const int file = region->file.get();
  {
    boost::asio::io_context io;
    CopyThread thread(io);
    region->close = thread.closer();
  }
  region.reset();
  CHECK(::fcntl(file, F_GETFD) < 0);
}

}  // namespace
}  // namespace yolod::app::api::oip::copy_thread_test
