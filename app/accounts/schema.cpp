#include <array>

#include "app/accounts/migrations.hpp"

namespace yolod::app::accounts {
namespace {

// Times are seconds since 1970; 0 means never. Triggers of PostgreSQL notify all machines of each relevant change:
// 's' or 'k' and a digest, or 'p' and the id of a person.
constexpr const char* kPeopleSqlite = R"(
CREATE TABLE yolod_people (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  role INTEGER NOT NULL,
  created INTEGER NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE yolod_sessions (
  digest BLOB NOT NULL PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES yolod_people (id) ON DELETE CASCADE,
  created INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX yolod_sessions_of_person ON yolod_sessions (person);
CREATE TABLE yolod_api_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  owner INTEGER REFERENCES yolod_people (id) ON DELETE CASCADE,
  head TEXT NOT NULL,
  tail TEXT NOT NULL,
  scopes INTEGER NOT NULL,
  rate INTEGER NOT NULL,
  in_flight INTEGER NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  last_used INTEGER NOT NULL DEFAULT 0,
  revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX yolod_api_keys_of_owner ON yolod_api_keys (owner);
)";

constexpr const char* kPeoplePostgres = R"(
CREATE TABLE yolod_people (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  role BIGINT NOT NULL,
  created BIGINT NOT NULL,
  disabled BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE yolod_sessions (
  digest BYTEA NOT NULL PRIMARY KEY,
  person BIGINT NOT NULL REFERENCES yolod_people (id) ON DELETE CASCADE,
  created BIGINT NOT NULL,
  last_used BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
CREATE INDEX yolod_sessions_of_person ON yolod_sessions (person);
CREATE TABLE yolod_api_keys (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest BYTEA NOT NULL UNIQUE,
  name TEXT NOT NULL,
  owner BIGINT REFERENCES yolod_people (id) ON DELETE CASCADE,
  head TEXT NOT NULL,
  tail TEXT NOT NULL,
  scopes BIGINT NOT NULL,
  rate BIGINT NOT NULL,
  in_flight BIGINT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  last_used BIGINT NOT NULL DEFAULT 0,
  revoked BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX yolod_api_keys_of_owner ON yolod_api_keys (owner);
CREATE FUNCTION yolod_tell_of_digest() RETURNS trigger AS $$
BEGIN
  PERFORM pg_notify('yolod_accounts', TG_ARGV[0] || encode(COALESCE(NEW.digest, OLD.digest), 'hex'));
  RETURN NULL;
END
$$ LANGUAGE plpgsql;
CREATE FUNCTION yolod_tell_of_person() RETURNS trigger AS $$
BEGIN
  PERFORM pg_notify('yolod_accounts', 'p' || NEW.id);
  RETURN NULL;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER yolod_sessions_changed AFTER INSERT OR DELETE OR UPDATE OF digest, person, expires ON yolod_sessions
  FOR EACH ROW EXECUTE FUNCTION yolod_tell_of_digest('s');
CREATE TRIGGER yolod_api_keys_changed AFTER INSERT OR DELETE
  OR UPDATE OF digest, name, owner, scopes, rate, in_flight, expires, revoked ON yolod_api_keys
  FOR EACH ROW EXECUTE FUNCTION yolod_tell_of_digest('k');
CREATE TRIGGER yolod_people_changed AFTER UPDATE OF name, role, disabled ON yolod_people
  FOR EACH ROW EXECUTE FUNCTION yolod_tell_of_person();
)";

constexpr const char* kInvitesSqlite = R"(
CREATE TABLE yolod_invites (
  digest BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
)";

constexpr const char* kInvitesPostgres = R"(
CREATE TABLE yolod_invites (
  digest BYTEA NOT NULL PRIMARY KEY,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  used BIGINT NOT NULL DEFAULT 0
);
)";

constexpr std::array<Migration, 2> kMigrations{
    {{1, kPeopleSqlite, kPeoplePostgres}, {2, kInvitesSqlite, kInvitesPostgres}}};

}  // namespace

std::span<const Migration> all_migrations() { return kMigrations; }

}  // namespace yolod::app::accounts
