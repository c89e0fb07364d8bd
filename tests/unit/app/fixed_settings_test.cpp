#include "app/fixed_settings.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "app/reference/config_page.hpp"

namespace yolod::app {
namespace {

using common::Config;

struct Kept {
  Config config;
  std::vector<std::string> keys;
};

Kept keep(const Config& present, const Config& wanted) {
  Kept kept;
  kept.config = keep_fixed_settings(present, wanted, [&kept](std::string_view key) { kept.keys.emplace_back(key); });
  return kept;
}

// A config in which every fixed setting is another one than by default.
Config all_others() {
  Config config;
  config.server.listen = {{"127.0.0.1:1"}};
  config.server.tls.certificate = "cert.pem";
  config.server.admin_listen = "unix:/admin";
  config.server.max_connections = 7;
  config.server.state_dir = "/state";
  config.server.models_dir = "/models";
  config.access.register_policy = common::RegisterPolicy::kOpen;
  config.access.session_idle = common::milliseconds(1);
  config.access.session_lifetime = common::milliseconds(2);
  config.postgres.emplace();
  config.deepstack.enabled = false;
  config.doods.enabled = false;
  config.oip.enabled = false;
  config.roboflow.enabled = false;
  config.memory.input_arena_bytes = 1;
  return config;
}

TEST_CASE("Fixed settings: a reload reports and keeps each setting that differs", "[app][unit]") {
  const auto kept = keep(Config(), all_others());
  const auto all = fixed_settings();
  CHECK(kept.keys == std::vector<std::string>(all.begin(), all.end()));
  CHECK(kept.config == Config());
  const auto kept_back = keep(all_others(), Config());
  CHECK(kept_back.keys.size() == all.size());
  CHECK(kept_back.config == all_others());
}

TEST_CASE("Fixed settings: a reload takes over the other settings, and reports no setting that is equal",
          "[app][unit]") {
  Config wanted;
  wanted.server.insecure = true;
  wanted.access.mode = common::AccessMode::kKeys;
  wanted.deepstack.confidence = 0.9;
  wanted.logging.level = common::LogLevel::kError;
  wanted.default_model = "m";
  const auto kept = keep(Config(), wanted);
  CHECK(kept.keys.empty());
  CHECK(kept.config == wanted);
}

TEST_CASE("Fixed settings: the TLS files of a listener may change, but not whether it has TLS", "[app][unit]") {
  Config plain;
  Config own = plain;
  own.server.listen[0].tls = {"a.pem", "a.key", {}};
  Config common_files = plain;
  common_files.server.tls = {"b.pem", "b.key", {}};

  CHECK(keep(own, common_files).keys.empty());
  CHECK(keep(own, common_files).config == common_files);
  CHECK(keep(common_files, own).config == own);

  CHECK(keep(plain, own).keys == std::vector<std::string>{"server.listen"});
  CHECK(keep(plain, own).config == plain);
  CHECK(keep(plain, common_files).keys == std::vector<std::string>{"server.tls"});
  CHECK(keep(common_files, plain).config == common_files);
}

TEST_CASE("Fixed settings: the reference names each of them", "[app][unit]") {
  const std::string page = reference::config_page({});
  const auto begin = page.find("need a restart");
  REQUIRE(begin != std::string::npos);
  const std::string list = page.substr(begin, page.find("`--set` names") - begin);
  for (const auto key : fixed_settings()) {
    CAPTURE(key);
    CHECK(list.find('`' + std::string(key) + '`') != std::string::npos);
  }
}

}  // namespace
}  // namespace yolod::app
