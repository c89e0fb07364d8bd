#include "app/net/tls_files.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;
using tests::Certificate;

// A folder with a certificate and its key.
struct Folder {
  Folder() { write(Certificate({})); }
  void write(const Certificate& certificate) const {
    certificate.write_certificate(files.certificate);
    certificate.write_key(files.key);
  }
  tests::TemporaryDirectory directory;
  common::TlsConfig files{directory.path() / "cert.pem", directory.path() / "key.pem", {}};
};

TEST_CASE("TlsFiles: changed files are read again, and bad files change nothing", "[app][unit]") {
  const Folder folder;
  std::vector<std::string> warnings;
  const auto now = system_clock::now();
  auto files = TlsFiles::open(folder.files, now, warnings).value();
  CHECK(warnings.empty());
  const auto first = files->context();
  CHECK(files->reload_if_changed(now).value() == TlsFiles::Change::kNone);
  CHECK(files->context() == first);

  SECTION("a new certificate with its key") {
    folder.write(Certificate({.valid_to = 48h}));
    CHECK(files->reload_if_changed(now).value() == TlsFiles::Change::kTaken);
    CHECK(files->context()->not_after() > first->not_after());
    CHECK(files->reload_if_changed(now).value() == TlsFiles::Change::kNone);
  }
  SECTION("a certificate whose key has not come yet is tried again when the key is there") {
    const Certificate next({.valid_to = 48h});
    next.write_certificate(folder.files.certificate);
    CHECK_FALSE(files->reload_if_changed(now).ok());
    CHECK(files->context() == first);
    CHECK(files->reload_if_changed(now).value() == TlsFiles::Change::kNone);  // told once
    next.write_key(folder.files.key);
    CHECK(files->reload_if_changed(now).value() == TlsFiles::Change::kTaken);
  }
  SECTION("an expired certificate") {
    folder.write(Certificate({.valid_from = -48h, .valid_to = -24h}));
    CHECK_FALSE(files->reload_if_changed(now).ok());
    CHECK(files->context() == first);
  }
}

TEST_CASE("TlsFiles: bad files of other names change nothing until they are good", "[app][unit]") {
  const Folder folder;
  std::vector<std::string> warnings;
  const auto now = system_clock::now();
  auto files = TlsFiles::open(folder.files, now, warnings).value();
  const auto first = files->context();
  const Folder other;
  std::filesystem::remove(other.files.key);
  CHECK_FALSE(files->reload(other.files, now).ok());
  CHECK(files->context() == first);
  CHECK(files->reload_if_changed(now).value() == TlsFiles::Change::kNone);
  other.write(Certificate({.valid_to = 48h}));
  CHECK(files->reload_if_changed(now).value() == TlsFiles::Change::kTaken);
  CHECK(files->context()->not_after() > first->not_after());
}

TEST_CASE("TlsFiles: at the start an expired certificate is used, with a warning", "[app][unit]") {
  const Folder folder;
  folder.write(Certificate({.valid_from = -48h, .valid_to = -24h}));
  std::vector<std::string> warnings;
  REQUIRE(TlsFiles::open(folder.files, system_clock::now(), warnings).ok());
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("expired") != std::string::npos);
}

}  // namespace
}  // namespace yolod::app::net
