#include "app/net/tls_context.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "app/net/tls_files.hpp"
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

std::string why_not(const common::TlsConfig& files) {
  const auto context = TlsContext::load(files);
  REQUIRE_FALSE(context.ok());
  CHECK(context.error().code == common::ErrorCode::kBadConfig);
  return context.error().message;
}

TEST_CASE("TlsContext: a certificate with its key is read", "[app][unit]") {
  const Folder folder;
  const auto context = TlsContext::load(folder.files);
  REQUIRE(context.ok());
  CHECK((*context)->warnings().empty());
  CHECK((*context)->not_after() > system_clock::now() + 23h);
  CHECK((*context)->check_dates(system_clock::now()).ok());
}

TEST_CASE("TlsContext: files that cannot be used are refused by name, with the reason", "[app][unit]") {
  const Folder folder;
  common::TlsConfig files = folder.files;
  SECTION("the certificate is missing") {
    files.certificate = folder.directory.path() / "none.pem";
    CHECK(why_not(files) == files.certificate.string() + ": no certificate in PEM: No such file or directory");
  }
  SECTION("the certificate is no PEM") {
    files.certificate = folder.directory.write("text.pem", "hello");
    CHECK(why_not(files).starts_with(files.certificate.string() + ": no certificate in PEM: "));
  }
  SECTION("the key is missing") {
    files.key = folder.directory.path() / "none.pem";
    CHECK(why_not(files) == files.key.string() + ": No such file or directory");
  }
  SECTION("every user may read the key") {
    REQUIRE(chmod(files.key.c_str(), 0644) == 0);
    CHECK(why_not(files) ==
          files.key.string() + ": every user may read this key; allow its owner and its group alone (chmod 640)");
  }
  SECTION("the key is another certificate's") {
    files.key = folder.directory.path() / "other.pem";
    Certificate({}).write_key(files.key);
    CHECK(
        why_not(files).starts_with(files.key.string() + ": this key does not belong to " + files.certificate.string()));
  }
  SECTION("client_ca is no PEM") {
    files.client_ca = folder.directory.write("ca.pem", "hello");
    CHECK(why_not(files).starts_with(files.client_ca.string() + ": no certificates in PEM"));
  }
}

TEST_CASE("TlsContext: the group may read the key", "[app][unit]") {
  const Folder folder;
  REQUIRE(chmod(folder.files.key.c_str(), 0640) == 0);
  CHECK(TlsContext::load(folder.files).ok());
}

TEST_CASE("TlsContext: dates are told where clients would refuse the certificate", "[app][unit]") {
  const Folder folder;
  const auto context = TlsContext::load(folder.files).value();
  CHECK(context->check_dates(context->not_before()).ok());
  CHECK(context->check_dates(context->not_after()).ok());
  const auto early = context->check_dates(context->not_before() - 1s);
  REQUIRE_FALSE(early.ok());
  CHECK(early.error().message.find("the certificate is not valid before 2") != std::string::npos);
  const auto late = context->check_dates(context->not_after() + 1s);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().message.find("the certificate expired on 2") != std::string::npos);
}

TEST_CASE("TlsContext: an RSA key that makes slow handshakes is a warning", "[app][unit]") {
  const int bits = GENERATE(2048, 3072, 4096);
  const Folder folder;
  folder.write(Certificate({.rsa_bits = bits}));
  const auto context = TlsContext::load(folder.files).value();
  CHECK(context->warnings().size() == (bits > 3072 ? 1 : 0));
}

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
