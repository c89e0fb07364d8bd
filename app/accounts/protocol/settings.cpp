#include "app/accounts/protocol/settings.hpp"

#include "app/accounts/protocol/wire.hpp"

namespace yolod::app::accounts::protocol {
namespace {

constexpr std::uint32_t kSettingsMagic = 0x31434341;  // "ACC1"

template <typename A>
void fields_of_settings(A& a, Ref<A, Settings> v) {
  a.text(v.sqlite_file, kMaxSettingBytes);
  a.text(v.postgres.host, kMaxSettingBytes);
  a.number(v.postgres.port);
  a.text(v.postgres.database, kMaxSettingBytes);
  a.text(v.postgres.user, kMaxSettingBytes);
  a.secret(v.postgres.password, kMaxSettingBytes);
  a.text(v.postgres.password_file, kMaxSettingBytes);
  a.number(v.postgres.minsize);
  a.number(v.postgres.maxsize);
  a.enumeration(v.register_policy, RegisterPolicy::kOpen);
  a.number(v.session_idle);
  a.number(v.session_absolute);
  a.enumeration(v.sandbox, common::SandboxMode::kReport);
  a.enumeration(v.log_level, common::LogLevel::kError);
}

bool makes_sense(const Settings& settings) {
  const auto& pool = settings.postgres;
  if (settings.session_idle <= 0 || settings.session_absolute <= 0) return false;
  return !settings.sqlite_file.empty() ||
         (pool.maxsize >= 1 && pool.maxsize <= kMostConnections && pool.minsize <= pool.maxsize);
}

}  // namespace

Secret encode(const Settings& settings) {
  Writer writer;
  writer.number(kSettingsMagic);
  fields_of_settings<Writer>(writer, settings);
  return writer.take();
}

std::optional<Settings> decode_settings(std::string_view bytes) {
  Reader reader(bytes);
  std::uint32_t magic = 0;
  reader.number(magic);
  std::optional<Settings> settings(std::in_place);
  fields_of_settings<Reader>(reader, *settings);
  if (!reader.complete() || magic != kSettingsMagic || !makes_sense(*settings)) return std::nullopt;
  return settings;
}

}  // namespace yolod::app::accounts::protocol
