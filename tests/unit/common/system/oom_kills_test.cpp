#include "common/system/oom_kills.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace yolod::common {
namespace {

class OomGroup {
 public:
  OomGroup(const std::string& proc_self_cgroup, std::string counter)
      : proc_(directory_.write("self_cgroup", proc_self_cgroup)), counter_(std::move(counter)) {}

  void say(const std::string& text) const {
    std::filesystem::create_directories((directory_.path() / "sys" / counter_).parent_path());
    (void)directory_.write("sys/" + counter_, text);
  }
  [[nodiscard]] OomKills kills() const { return OomKills(proc_, directory_.path() / "sys"); }

 private:
  tests::TemporaryDirectory directory_;
  std::filesystem::path proc_;
  std::string counter_;
};

TEST_CASE("OomKills: each kill of the own group is claimed once, and earlier kills are not claimed", "[common][unit]") {
  const OomGroup group("0::/app\n", "app/memory.events");
  group.say("low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 0\n");
  auto kills = group.kills();
  CHECK_FALSE(kills.claim());
  group.say("low 0\nhigh 0\nmax 12\noom 5\noom_kill 4\noom_group_kill 0\n");
  CHECK(kills.claim());
  CHECK(kills.claim());
  CHECK_FALSE(kills.claim());
}

TEST_CASE("OomKills: version 1 counts kills in memory.oom_control", "[common][unit]") {
  const OomGroup group("4:memory:/app\n", "memory/app/memory.oom_control");
  group.say("oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
  auto kills = group.kills();
  group.say("oom_kill_disable 0\nunder_oom 1\noom_kill 1\n");
  CHECK(kills.claim());
  CHECK_FALSE(kills.claim());
}

TEST_CASE("OomKills: without a readable cgroup no kill is claimed", "[common][unit]") {
  const OomGroup group("0::/app\n", "elsewhere/memory.events");
  auto kills = group.kills();
  CHECK_FALSE(kills.claim());
}

TEST_CASE("OomKills: a kill that is unclaimed for two looks is forgotten, a later kill is not", "[common][unit]") {
  const OomGroup group("0::/app\n", "app/memory.events");
  group.say("oom_kill 0\n");
  auto kills = group.kills();
  const auto now = Clock::now();
  group.say("oom_kill 1\n");
  kills.forget_old(now);
  kills.forget_old(now + std::chrono::milliseconds(100));  // too soon to count as a look
  CHECK(kills.claim());
  group.say("oom_kill 2\n");
  kills.forget_old(now + std::chrono::seconds(10));
  kills.forget_old(now + std::chrono::seconds(20));
  CHECK_FALSE(kills.claim());
  group.say("oom_kill 3\n");
  CHECK(kills.claim());
}

}  // namespace
}  // namespace yolod::common
