#include "app/access/audit_log.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace yolod::app::access::audit_log_test {
namespace {

using Kind = AuditEvent::Kind;
using Result = AuditEvent::Result;
using std::chrono::seconds;

constexpr common::Clock::time_point kStart{std::chrono::hours(1)};

Network ipv4(std::uint32_t number) {
  constexpr std::uint32_t kByte = 256;
  std::string text;
  for (std::uint32_t unit = kByte * kByte * kByte; unit != 0; unit /= kByte) {
    text += std::to_string(number / unit % kByte) + (unit == 1 ? "" : ".");
  }
  return Network::of(*common::IpAddress::parse(text));
}

Network ipv6(const std::string& text) {
  const auto address = common::IpAddress::parse(text);
  REQUIRE(address);
  return Network::of(*address);
}

std::vector<boost::json::object> lines_of(const std::filesystem::path& file) {
  std::vector<boost::json::object> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(boost::json::parse(line).as_object());
  return lines;
}

struct Audit {
  tests::TemporaryDirectory folder;
  std::filesystem::path file{folder.path() / "audit.log"};
  AuditLog log;

  Audit() { REQUIRE(log.use(file)); }
  [[nodiscard]] std::vector<boost::json::object> lines() const { return lines_of(file); }
};

AuditEvent refusal_from(const Network& network) {
  AuditEvent event{Kind::kCredential, Result::kRefused};
  event.address = network;
  event.detail = "unknown";
  return event;
}

TEST_CASE("AuditLog: an event is one line of JSON with its actor", "[app][access][unit]") {
  Audit audit;
  Caller caller;
  caller.kind = Caller::Kind::kSession;
  caller.name = "anna";
  caller.person = 3;
  caller.network = ipv4(0xC0000207);
  AuditEvent event{Kind::kCreateKey, Result::kDone};
  event.by(caller);
  event.request_id = "id-1";
  event.subject = "ci";
  event.subject_id = 12;
  audit.log.write(event);

  REQUIRE(audit.lines().size() == 1);
  CHECK_THAT(tests::read_file(audit.file),
             Catch::Matchers::StartsWith(R"({"ts":"20)") &&
                 Catch::Matchers::EndsWith(
                     R"Z(Z","event":"create_key","result":"done","actor":"session","name":"anna","person":3,)Z"
                     R"("address":"192.0.2.7","request_id":"id-1","subject":"ci","subject_id":12})"
                     "\n"));
}

TEST_CASE("AuditLog: without a file nothing is written", "[app][access][unit]") {
  AuditLog log;
  CHECK_FALSE(log.is_open());
  log.write({Kind::kStart, Result::kDone});
  log.write_refusal(refusal_from(ipv4(1)), kStart);
  log.tick(kStart);
  CHECK(log.lost_count() == 0);
}

TEST_CASE("AuditLog: the file is for the server's user alone and lines are appended", "[app][access][unit]") {
  Audit audit;
  audit.log.write({Kind::kStart, Result::kDone});
  struct stat about {};
  REQUIRE(stat(audit.file.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  REQUIRE(audit.log.use(audit.file));
  audit.log.write({Kind::kStop, Result::kDone});
  CHECK(audit.lines().size() == 2);
}

TEST_CASE("AuditLog: after a rotation the new file has the next lines", "[app][access][unit]") {
  Audit audit;
  audit.log.write({Kind::kStart, Result::kDone});
  const auto moved = audit.folder.path() / "audit.log.1";
  std::filesystem::rename(audit.file, moved);
  REQUIRE(audit.log.use(audit.file));
  audit.log.write({Kind::kStop, Result::kDone});
  CHECK(lines_of(moved).size() == 1);
  REQUIRE(audit.lines().size() == 1);
  CHECK(audit.lines().front().at("event") == "stop");
}

TEST_CASE("AuditLog: a file that cannot be opened leaves the file before open", "[app][access][unit]") {
  Audit audit;
  CHECK_FALSE(audit.log.use(audit.folder.path() / "absent" / "audit.log"));
  audit.log.write({Kind::kStop, Result::kDone});
  CHECK(audit.lines().size() == 1);
}

TEST_CASE("AuditLog: a text from a client makes neither a second line nor a long line", "[app][access][unit]") {
  Audit audit;
  AuditEvent event{Kind::kLogIn, Result::kRefused};
  const std::string long_text = "\n\"},{\"event\":\"start\"" + std::string(100'000, '\x01');
  event.name = event.request_id = event.subject = event.detail = long_text;
  audit.log.write(event);
  std::ifstream in(audit.file);
  std::string line;
  REQUIRE(std::getline(in, line));
  CHECK(line.size() < AuditLog::kMaxLineBytes);
  CHECK(boost::json::parse(line).as_object().at("event") == "log_in");
  CHECK_FALSE(std::getline(in, line));
}

TEST_CASE("AuditLog: many refusals of one address are two lines a minute", "[app][access][unit]") {
  Audit audit;
  for (int i = 0; i < 1000; ++i) audit.log.write_refusal(refusal_from(ipv4(1)), kStart + std::chrono::milliseconds(i));
  CHECK(audit.lines().size() == 1);
  audit.log.tick(kStart + AuditLog::kRefusalPeriod + seconds(1));
  const auto lines = audit.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].at("event") == "credential");
  CHECK(lines[1].at("address") == "0.0.0.1");
  CHECK(lines[1].at("count") == 999);
}

TEST_CASE("AuditLog: all networks of one site count together", "[app][access][unit]") {
  Audit audit;
  audit.log.write_refusal(refusal_from(ipv6("2001:db8:1:1::1")), kStart);
  audit.log.write_refusal(refusal_from(ipv6("2001:db8:1:2::1")), kStart);
  audit.log.write_refusal(refusal_from(ipv6("2001:db8:2:1::1")), kStart);
  CHECK(audit.lines().size() == 2);
}

TEST_CASE("AuditLog: a client with many addresses leaves lines for other clients", "[app][access][unit]") {
  Audit audit;
  for (std::uint32_t i = 0; i < 256; ++i) audit.log.write_refusal(refusal_from(ipv4(0x01020300 + i)), kStart);
  for (int i = 0; i < 1000; ++i) {
    const std::string site = "2001:db8:" + std::to_string(i) + "::1";
    audit.log.write_refusal(refusal_from(ipv6(site)), kStart);
  }
  CHECK(audit.lines().size() == 2 * AuditLog::kMostOfOne);
  audit.log.write_refusal(refusal_from(ipv4(0x01020400)), kStart);
  CHECK(audit.lines().back().at("address") == "1.2.4.0");
  CHECK(audit.lines().size() == 2 * AuditLog::kMostOfOne + 1);
}

TEST_CASE("AuditLog: clients without a credential leave the lines of people and keys", "[app][access][unit]") {
  Audit audit;
  for (std::uint32_t i = 0; i < 100'000; ++i) audit.log.write_refusal(refusal_from(ipv4(256 * i)), kStart);
  CHECK(audit.lines().size() == AuditLog::kMostStrangers);
  auto event = refusal_from(ipv4(7));
  event.person = 3;
  event.key = 12;
  audit.log.write_refusal(event, kStart);
  CHECK(audit.lines().back().at("person") == 3);
  // The keys of a person share the lines of this person.
  for (std::uint32_t i = 0; i < 1000; ++i) {
    auto further = refusal_from(ipv4(i));
    further.person = 3;
    further.key = i;
    audit.log.write_refusal(further, kStart);
  }
  CHECK(audit.lines().size() == AuditLog::kMostStrangers + AuditLog::kMostOfOne);
  event.person = 4;
  audit.log.write_refusal(event, kStart);
  CHECK(audit.lines().back().at("person") == 4);
}

TEST_CASE("AuditLog: refusals of many addresses are a bounded number of lines", "[app][access][unit]") {
  Audit audit;
  constexpr std::uint32_t kAddresses = 100'000;
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < kAddresses; ++i) audit.log.write_refusal(refusal_from(ipv4(256 * i)), kStart);
  }
  CHECK(audit.lines().size() == AuditLog::kMostStrangers);
  const auto later = kStart + AuditLog::kRefusalPeriod;
  audit.log.tick(later);
  CHECK(audit.lines().size() == AuditLog::kMostStrangers + AuditLog::kLinesAtOnce);
  for (int i = 0; i < 100; ++i) audit.log.tick(later);
  const auto lines = audit.lines();
  CHECK(lines.size() == 2 * AuditLog::kMostStrangers + 1);
  std::int64_t counted = 0;
  for (const auto& line : lines) counted += line.contains("count") ? line.at("count").as_int64() : 1;
  CHECK(counted == 2 * kAddresses);
}

TEST_CASE("AuditLog: a full disk loses lines, and the log says how many", "[app][access][unit]") {
  Audit audit;
  audit.log.write({Kind::kStart, Result::kDone});
  const auto size = std::filesystem::file_size(audit.file);
  // A file that may not grow fails like a full disk.
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit all{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &all) == 0);
  const rlimit none{size, all.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
  audit.log.write({Kind::kReload, Result::kDone});
  audit.log.write({Kind::kReload, Result::kDone});
  REQUIRE(setrlimit(RLIMIT_FSIZE, &all) == 0);
  (void)std::signal(SIGXFSZ, before);
  CHECK(audit.log.lost_count() == 2);
  audit.log.write({Kind::kStop, Result::kDone});
  const auto lines = audit.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].at("event") == "lost_lines");
  CHECK(lines[1].at("count") == 2);
  CHECK(lines[2].at("event") == "stop");
}

}  // namespace
}  // namespace yolod::app::access::audit_log_test
