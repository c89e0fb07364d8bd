#include "common/system/plain_file.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace yolod::common::plain_file_test {
namespace {

std::string text_or_why(const std::filesystem::path& path, std::size_t limit_bytes = 1'000'000) {
  const auto text = read_plain_file(path, limit_bytes);
  return text ? *text : text.error().message;
}

TEST_CASE("PlainFile: a regular file, or a link to one, is read up to the limit", "[common][unit]") {
  const tests::TemporaryDirectory folder;
  const std::string text(200'000, 'a');
  folder.write("a", text);
  folder.write("empty", "");
  std::filesystem::create_symlink("a", folder.path() / "link");
  CHECK(text_or_why(folder.path() / "a") == text);
  CHECK(text_or_why(folder.path() / "link", text.size()) == text);
  CHECK(text_or_why(folder.path() / "empty", 0).empty());
  CHECK(text_or_why(folder.path() / "a", text.size() - 1) == "has more than 199999 bytes");
}

// To open a FIFO without O_NONBLOCK would wait for a writer.
TEST_CASE("PlainFile: other kinds of files are refused at once", "[common][unit]") {
  const tests::TemporaryDirectory folder;
  REQUIRE(::mkfifo((folder.path() / "fifo").c_str(), 0600) == 0);
  std::filesystem::create_symlink("fifo", folder.path() / "link");
  std::filesystem::create_symlink("nowhere", folder.path() / "dangling");
  std::filesystem::create_symlink("loop", folder.path() / "loop");
  for (const auto& path :
       {folder.path() / "fifo", folder.path() / "link", folder.path(), std::filesystem::path("/dev/zero")}) {
    CAPTURE(path);
    CHECK(text_or_why(path) == "is not a regular file");
    CHECK(open_plain_file(path).error().code == ErrorCode::kSystem);
  }
  CHECK(text_or_why(folder.path() / "absent") == "cannot be opened: No such file or directory");
  CHECK(text_or_why(folder.path() / "dangling") == "cannot be opened: No such file or directory");
  CHECK(text_or_why(folder.path() / "loop") == "cannot be opened: Too many levels of symbolic links");
}

}  // namespace
}  // namespace yolod::common::plain_file_test
