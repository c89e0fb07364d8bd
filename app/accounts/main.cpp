// yolod-accounts is the only process that has the database of people, sessions and API keys and that hashes
// passwords. Only yolod starts it, with two descriptors (app/accounts/protocol/settings.hpp) and SIGINT blocked:
//
//   settings -> the database's files are there (SQLite) -> sealed -> threads -> hello -> serve -> the front-end is gone
//
// app/accounts/sandbox.hpp says how it is sealed.
#include <fcntl.h>
#include <netdb.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include "app/accounts/migrations.hpp"
#include "app/accounts/password_hash.hpp"
#include "app/accounts/postgres_database.hpp"
#include "app/accounts/protocol/password_file.hpp"
#include "app/accounts/protocol/settings.hpp"
#include "app/accounts/sandbox.hpp"
#include "app/accounts/server.hpp"
#include "app/accounts/sqlite_database.hpp"
#include "common/log.hpp"
#include "common/system/foreign_signals.hpp"
#include "common/text.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::accounts {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;
using common::UniqueFd;
using protocol::Secret;
using protocol::Settings;

bool started_by_front_end() {
  return fcntl(protocol::kSocketDescriptor, F_GETFD) >= 0 && fcntl(protocol::kSettingsDescriptor, F_GETFD) >= 0;
}

std::optional<Settings> read_settings() {
  const UniqueFd file(protocol::kSettingsDescriptor);
  std::array<char, protocol::kMaxMessageBytes> bytes{};
  const ssize_t size = pread(file.get(), bytes.data(), bytes.size(), 0);
  if (size < 0) return std::nullopt;
  auto settings = protocol::decode_settings({bytes.data(), static_cast<std::size_t>(size)});
  sodium_memzero(bytes.data(), bytes.size());
  return settings;
}

Outcome<void> read_password(protocol::PostgresSettings& settings) {
  if (settings.password_file.empty()) return {};
  auto password = protocol::read_password_file(settings.password_file);
  if (!password) return password.error();
  settings.password = *std::move(password);
  return {};
}

// Makes the resolver load its libraries at its first question, because a sealed process can load nothing.
void warm_up_resolver(const std::string& host) {
  if (host.starts_with('/')) return;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, nullptr, &found) == 0) freeaddrinfo(found);
}

// Makes the files of SQLite, because a sealed process cannot. PostgreSQL needs no such step and may be away at the
// start.
Outcome<UniqueFd> prepare_sqlite(const std::filesystem::path& file) {
  constexpr common::milliseconds kPatience{5'000};  // for the process of a server that was just killed
  auto claimed = claim_sqlite_file(file, kPatience);
  if (!claimed) return claimed;
  const auto database = open_sqlite(file);
  if (!database) return database.error();
  if (auto migrated = migrate(**database); !migrated) return migrated.error();
  return claimed;
}

OpenStore opener(const Settings& settings) {
  StoreLimits limits;
  limits.session_idle = settings.session_idle;
  return [&settings, limits]() -> Outcome<std::unique_ptr<AccountStore>> {
    auto opened = settings.sqlite_file.empty() ? open_postgres(settings.postgres) : open_sqlite(settings.sqlite_file);
    if (!opened) return opened.error();
    return std::make_unique<AccountStore>(*std::move(opened), limits);
  };
}

PoolSize pool_of(const Settings& settings) {
  PoolSize size;
  size.kept = settings.sqlite_file.empty() ? settings.postgres.minsize : 1;
  size.most = settings.sqlite_file.empty() ? settings.postgres.maxsize : 1;  // SQLite has one writer at a time
  return size;
}

int give_up(const Error& error) {
  common::log_error("{}", error.message);
  (void)common::flush_log();
  return protocol::kExitBadDatabase;
}

int run(Settings& settings) {
  const bool sqlite = !settings.sqlite_file.empty();
  UniqueFd claimed;
  std::vector<std::filesystem::path> files;
  if (sqlite) {
    auto prepared = prepare_sqlite(settings.sqlite_file);
    if (!prepared) return give_up(prepared.error());
    claimed = *std::move(prepared);
    files = files_of_sqlite(settings.sqlite_file);
  } else {
    if (auto read = read_password(settings.postgres); !read) return give_up(read.error());
    warm_up_resolver(settings.postgres.host);
  }
  const auto sealed = seal(settings, files);
  if (!sealed) return give_up(sealed.error());
  if (!sealed->missing.empty()) common::log_warning("yolod-accounts is not fully sealed: {}", sealed->missing);
  const protocol::Hello hello{!sqlite, sealed->landlock_abi, sealed->seccomp,
                              sealed->missing.substr(0, protocol::kMaxReasonBytes)};

  auto service = std::make_unique<Service>(settings, pool_of(settings), opener(settings));
  serve_front_end(protocol::kSocketDescriptor, *service, hello);
  // A thread that hangs in the database would delay the end of this process.
  if (service->under_way() > 0) {
    (void)common::flush_log();
    _exit(protocol::kExitStopped);
  }
  service.reset();
  (void)common::flush_log();
  return protocol::kExitStopped;
}

void set_signals() {
  std::signal(SIGPIPE, SIG_IGN);  // a closed log pipe must not end this process
  std::signal(SIGXFSZ, SIG_IGN);  // nor must a limit on file sizes
  // Only the front-end must obey a signal to all processes of the service. It then closes its end of the socket.
  for (const int signal : {SIGHUP, SIGTERM, SIGUSR1, SIGTTIN, SIGTTOU}) std::signal(signal, SIG_IGN);
  common::for_each_foreign_signal([](int signal) { std::signal(signal, SIG_IGN); });
}

void set_up_process() {
  hide_memory();
  umask(077);
  set_signals();
  setenv("HOME", "/nonexistent", 1);  // libpq looks for certificates and settings there
  const rlimit descriptors{256, 256};
  setrlimit(RLIMIT_NOFILE, &descriptors);
}

}  // namespace
}  // namespace yolod::app::accounts

int main() {
  using namespace yolod;
  using namespace yolod::app;
  if (!accounts::started_by_front_end()) {
    std::fputs("yolod-accounts is started by yolod; there is nothing to run by hand.\n", stderr);
    return accounts::protocol::kExitBadStart;
  }
  accounts::set_up_process();
  auto settings = accounts::read_settings();
  if (!settings || sodium_init() < 0) {
    std::fputs("yolod-accounts was started by a yolod of another version.\n", stderr);
    return accounts::protocol::kExitBadStart;
  }
#ifdef YOLOD_FAULT_POINTS
  // The tests of such a build make hundreds of people, and kill this process in the middle.
  accounts::set_hash_cost({.passes = 1, .bytes = 1024 * 1024});
#endif
  common::LoggingConfig logging;
  logging.format = common::LogFormat::kForwarded;
  logging.level = settings->log_level;
  if (auto log = common::configure_log(logging, "yolod-accounts"); !log) return accounts::protocol::kExitBadStart;
  try {
    return accounts::run(*settings);
  } catch (const std::exception& failure) {
    common::log_error("unexpected: {}", failure.what());
    std::terminate();  // the front-end sees SIGABRT, logs it and replaces this process
  }
}
