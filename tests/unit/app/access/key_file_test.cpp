#include "app/access/key_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "app/accounts/protocol/digest.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::access {
namespace {

namespace protocol = accounts::protocol;

std::string hash_of(std::string_view key) { return protocol::to_hex(protocol::digest_of(key)); }

std::string problem_of(const std::string& text) {
  const auto keys = parse_key_file(text);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().code == common::ErrorCode::kBadConfig);
  return keys.error().message;
}

TEST_CASE("Key file: a line has a name and the digest of a key", "[app][access][unit]") {
  const auto keys = parse_key_file("# for the build\n\n  ci:" + hash_of("a") + "  \r\nother_1.x:" + hash_of("b"));
  REQUIRE(keys);
  REQUIRE(keys->size() == 2);
  CHECK((*keys)[0].name == "ci");
  CHECK((*keys)[0].digest == protocol::digest_of("a"));
  CHECK((*keys)[0].scopes == (protocol::kScopeModels | protocol::kScopePredict));
  CHECK((*keys)[0].expires == 0);
  CHECK((*keys)[1].name == "other_1.x");
  CHECK(parse_key_file("")->empty());
  CHECK(parse_key_file("# nothing\n")->empty());
}

TEST_CASE("Key file: a line may have scopes and a last day", "[app][access][unit]") {
  const auto keys = parse_key_file("a:" + hash_of("a") + ":models,admin\nb:" + hash_of("b") +
                                   ":load:2027-01-31\nc:" + hash_of("c") + "::1970-01-02\nd:" + hash_of("d") + "::\n");
  REQUIRE(keys);
  REQUIRE(keys->size() == 4);
  CHECK((*keys)[0].scopes == (protocol::kScopeModels | protocol::kScopeAdmin));
  CHECK((*keys)[1].scopes == protocol::kScopeLoad);
  CHECK((*keys)[1].expires == 1'801'353'600);
  CHECK((*keys)[2].scopes == (protocol::kScopeModels | protocol::kScopePredict));
  CHECK((*keys)[2].expires == 86'400);
  CHECK((*keys)[3].expires == 0);
}

TEST_CASE("Key file: an error names the bad line and the allowed values, and never shows the line",
          "[app][access][unit]") {
  const std::string secret = "yld_ThisIsNotADigestButTheKeyItself0000000";
  const std::string good = "good:" + hash_of("a");
  struct Row {
    std::string line;
    std::string why;
  };
  for (const auto& [line, why] :
       {Row{"ci:" + secret, "no SHA-256 of a key"}, Row{secret, "no SHA-256 of a key"},
        Row{":" + hash_of("b"), "the name"}, Row{"a b:" + hash_of("b"), "the name"},
        Row{std::string(65, 'a') + ":" + hash_of("b"), "the name"}, Row{"ci:" + hash_of("b").substr(1), "no SHA-256"},
        Row{"ci:" + hash_of("b") + "0", "no SHA-256"}, Row{"ci:" + hash_of("b") + ":predict,root", "a scope"},
        Row{"ci:" + hash_of("b") + ":predict:tomorrow", "the day"},
        Row{"ci:" + hash_of("b") + "::2027-02-30", "the day"}, Row{"ci:" + hash_of("b") + "::2027-1-31x", "the day"},
        Row{"ci:" + hash_of("b") + "::2027-01-31:x", "the day"}, Row{"good:" + hash_of("b"), "the same name"},
        Row{"other:" + hash_of("a"), "the same key"}}) {
    CAPTURE(line);
    const auto problem = problem_of("# keys\n" + good + "\n" + line + "\n");
    CHECK(problem.starts_with("line 3: "));
    CHECK(problem.find(why) != std::string::npos);
    CHECK(problem.find(secret) == std::string::npos);
    CHECK(problem.find(hash_of("b").substr(1)) == std::string::npos);
  }
}

TEST_CASE("Key file: more keys than allowed are refused", "[app][access][unit]") {
  std::string text;
  for (std::size_t i = 0; i < kMostFileKeys; ++i) {
    text += "k" + std::to_string(i) + ":" + hash_of("k" + std::to_string(i)) + "\n";
  }
  CHECK(parse_key_file(text)->size() == kMostFileKeys);
  CHECK(problem_of(text + "x:" + hash_of("x")).find("more than 1000 keys") != std::string::npos);
}

class OnDisk {
 public:
  explicit OnDisk(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    REQUIRE(chmod(path.c_str(), mode) == 0);
  }
  tests::TemporaryDirectory directory;
  std::filesystem::path path{directory.path() / "keys"};
};

TEST_CASE("Key file: a file that only its owner and group can read is read", "[app][access][unit]") {
  for (const mode_t mode : {0600U, 0400U, 0640U, 0440U}) {
    const OnDisk file("ci:" + hash_of("a") + "\n", mode);
    const auto keys = read_key_file(file.path);
    REQUIRE(keys);
    CHECK(keys->size() == 1);
  }
}

TEST_CASE("Key file: a file that others can read or change is refused", "[app][access][unit]") {
  for (const mode_t mode : {0644U, 0604U, 0602U, 0660U, 0601U}) {
    CAPTURE(mode);
    const OnDisk file("ci:" + hash_of("a") + "\n", mode);
    const auto keys = read_key_file(file.path);
    REQUIRE_FALSE(keys);
    CHECK(keys.error().message.find("chmod 600 or 640") != std::string::npos);
    CHECK(keys.error().message.find(file.path.string()) != std::string::npos);
  }
}

TEST_CASE("Key file: a file of another user is refused, but root may check it for that user",
          "[app][access][unit][skips]") {
  if (geteuid() != 0) {
    WARN("SKIPPED: only root can give a file away");
    return;
  }
  const OnDisk file("ci:" + hash_of("a") + "\n");
  constexpr uid_t kOther = 65534;
  REQUIRE(chown(file.path.c_str(), kOther, kOther) == 0);
  const auto keys = read_key_file(file.path);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().message.find("belongs to another user") != std::string::npos);
  CHECK(read_key_file(file.path, KeyFileReader::kCheck));
  REQUIRE(chmod(file.path.c_str(), 0604) == 0);
  CHECK_FALSE(read_key_file(file.path, KeyFileReader::kCheck));
}

TEST_CASE("Key file: a missing file, a folder, a FIFO and a huge file are refused", "[app][access][unit]") {
  const OnDisk huge(std::string(kMostKeyFileBytes + 1, '#'));
  CHECK(read_key_file(huge.path).error().message.find("larger than 256 KiB") != std::string::npos);
  CHECK(read_key_file(huge.directory.path() / "none").error().message.find("cannot be opened") != std::string::npos);
  CHECK(read_key_file(huge.directory.path()).error().message.find("is not a file") != std::string::npos);
  const auto fifo = huge.directory.path() / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(read_key_file(fifo).error().message.find("is not a file") != std::string::npos);
}

TEST_CASE("Key file: a bad line is named with the file", "[app][access][unit]") {
  const OnDisk file("nothing\n");
  CHECK(read_key_file(file.path).error().message.find("keys: line 1: ") != std::string::npos);
}

}  // namespace
}  // namespace yolod::app::access
