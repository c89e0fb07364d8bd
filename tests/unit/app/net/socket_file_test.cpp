#include "app/net/socket_file.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace yolod::app::net {
namespace {

namespace asio = boost::asio;
using LocalEndpoint = asio::local::stream_protocol::endpoint;

struct FileBench {
  void make_file() const { std::ofstream(path) << "mine"; }
  [[nodiscard]] struct stat status() const {
    struct stat status {};
    REQUIRE(lstat(path.c_str(), &status) == 0);
    return status;
  }
  [[nodiscard]] bool exists() const { return std::filesystem::exists(std::filesystem::symlink_status(path)); }

  tests::TemporaryDirectory folder;
  std::string path{(folder.path() / "http.sock").string()};
  asio::io_context io;
};

TEST_CASE("SocketFile: a socket without a listening process is removed, and no other file", "[app][unit]") {
  FileBench bench;
  SECTION("the socket of a dead server") {
    { asio::local::stream_protocol::acceptor dead(bench.io, LocalEndpoint(bench.path)); }
    remove_stale_socket(bench.io, bench.path);
    CHECK_FALSE(bench.exists());
  }
  SECTION("a socket with a listening process") {
    const asio::local::stream_protocol::acceptor alive(bench.io, LocalEndpoint(bench.path));
    remove_stale_socket(bench.io, bench.path);
    CHECK(bench.exists());
  }
  SECTION("a socket whose backlog is full") {
    asio::local::stream_protocol::acceptor busy(bench.io);
    busy.open();
    busy.bind(LocalEndpoint(bench.path));
    busy.listen(0);
    std::vector<asio::local::stream_protocol::socket> waiting;
    int refused = 0;
    while (refused == 0) {
      waiting.emplace_back(bench.io, asio::local::stream_protocol()).non_blocking(true);
      const LocalEndpoint address(bench.path);
      refused = connect(waiting.back().native_handle(), address.data(), static_cast<socklen_t>(address.size()));
    }
    CHECK(errno == EAGAIN);
    remove_stale_socket(bench.io, bench.path);
    CHECK(bench.exists());
  }
  SECTION("a plain file") {
    bench.make_file();
    remove_stale_socket(bench.io, bench.path);
    CHECK(bench.exists());
  }
  SECTION("a link to a dead socket") {
    const auto target = (bench.folder.path() / "dead.sock").string();
    { asio::local::stream_protocol::acceptor dead(bench.io, LocalEndpoint(target)); }
    std::filesystem::create_symlink(target, bench.path);
    remove_stale_socket(bench.io, bench.path);
    CHECK(bench.exists());
    CHECK(std::filesystem::exists(target));
  }
  SECTION("no file") {
    remove_stale_socket(bench.io, bench.path);
    CHECK_FALSE(bench.exists());
  }
}

TEST_CASE("FileMode: the object sets the mode of new files, and its end restores the umask", "[app][unit]") {
  FileBench bench;
  const mode_t before = umask(022);
  {
    const FileMode mode(0600);
    bench.make_file();
  }
  CHECK((bench.status().st_mode & 0777U) == 0600);
  {
    const FileMode none(std::nullopt);
    std::filesystem::remove(bench.path);
    bench.make_file();
  }
  CHECK((bench.status().st_mode & 0777U) == 0644);
  CHECK(umask(before) == 022);
}

TEST_CASE("SocketFile: a group is given by its name or its number", "[app][unit]") {
  FileBench bench;
  bench.make_file();
  const gid_t own = getegid();
  const struct group* const entry = getgrgid(own);
  REQUIRE(entry != nullptr);
  CHECK(give_to_group(bench.path, GENERATE_COPY(std::string(entry->gr_name), std::to_string(own))));
  CHECK(bench.status().st_gid == own);
  CHECK(bench.status().st_uid == geteuid());
}

TEST_CASE("SocketFile: an unknown group or an absent file is an error that names the file", "[app][unit]") {
  FileBench bench;
  bench.make_file();
  for (const std::string& group : {std::string("no-such-group"), std::string("12x"), std::string()}) {
    CAPTURE(group);
    const auto given = give_to_group(bench.path, group);
    REQUIRE_FALSE(given);
    CHECK(given.error().code == common::ErrorCode::kSystem);
    CHECK(given.error().message == bench.path + ": there is no group " + group);
  }
  const auto nowhere = give_to_group("/nowhere/http.sock", "0");
  REQUIRE_FALSE(nowhere);
  CHECK_THAT(nowhere.error().message, Catch::StartsWith("cannot give /nowhere/http.sock to the group 0: "));
}

TEST_CASE("SocketFile: the object removes its own file, and no other file in its place", "[app][unit]") {
  FileBench bench;
  bench.make_file();
  const SocketFile file(bench.path);
  SECTION("the file is the same") {
    file.remove();
    CHECK_FALSE(bench.exists());
    file.remove();  // the file is gone already
  }
  SECTION("the file is another") {
    const auto other = bench.path + ".new";
    std::ofstream(other) << "another's";
    std::filesystem::rename(other, bench.path);
    file.remove();
    CHECK(bench.exists());
  }
  SECTION("the file did not exist when the object was made") {
    const SocketFile of_none(bench.path + ".none");
    std::ofstream(bench.path + ".none") << "later";
    of_none.remove();
    CHECK(std::filesystem::exists(bench.path + ".none"));
  }
}

}  // namespace
}  // namespace yolod::app::net
