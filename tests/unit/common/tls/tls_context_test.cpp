#include "common/tls/tls_context.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::common {
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
  TlsConfig files{directory.path() / "cert.pem", directory.path() / "key.pem", {}};
};

std::string why_not(const TlsConfig& files) {
  const auto context = TlsContext::load(files);
  REQUIRE_FALSE(context.ok());
  CHECK(context.error().code == ErrorCode::kBadConfig);
  return context.error().message;
}

TEST_CASE("TlsContext: a certificate with its key is read", "[common][unit]") {
  const Folder folder;
  const auto context = TlsContext::load(folder.files);
  REQUIRE(context.ok());
  CHECK((*context)->warnings().empty());
  CHECK((*context)->not_after() > system_clock::now() + 23h);
  CHECK((*context)->check_dates(system_clock::now()).ok());
}

TEST_CASE("TlsContext: files that cannot be used are refused by name, with the reason", "[common][unit]") {
  const Folder folder;
  TlsConfig files = folder.files;
  SECTION("the certificate is missing") {
    files.certificate = folder.directory.path() / "none.pem";
    CHECK(why_not(files) == files.certificate.string() + ": no certificate in PEM: No such file or directory");
  }
  SECTION("the certificate is no PEM") {
    files.certificate = folder.directory.write("text.pem", "hello");
    CHECK(why_not(files).starts_with(files.certificate.string() + ": no certificate in PEM: "));
  }
  SECTION("a file is a FIFO, which OpenSSL would wait for") {
    const auto fifo = folder.directory.path() / "fifo.pem";
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    TlsConfig other = files;
    other.certificate = fifo;
    CHECK(why_not(other) == fifo.string() + ": is not a regular file");
    other = files;
    other.key = fifo;
    CHECK(why_not(other) == fifo.string() + ": is not a regular file");
    other = files;
    other.client_ca = fifo;
    CHECK(why_not(other) == fifo.string() + ": is not a regular file");
  }
  SECTION("the key is missing") {
    files.key = folder.directory.path() / "none.pem";
    CHECK(why_not(files) == files.key.string() + ": No such file or directory");
  }
  SECTION("every user may read the key") {
    REQUIRE(chmod(files.key.c_str(), 0644) == 0);
    CHECK(why_not(files) ==
          files.key.string() +
              ": every user may read this key; allow it to its owner and its group only, such as with chmod 640");
  }
  SECTION("the key is another certificate's") {
    files.key = folder.directory.path() / "other.pem";
    Certificate({}).write_key(files.key);
    CHECK(why_not(files) ==
          files.key.string() + ": this key does not belong to the certificate " + files.certificate.string());
  }
  SECTION("client_ca is no PEM") {
    files.client_ca = folder.directory.write("ca.pem", "hello");
    CHECK(why_not(files).starts_with(files.client_ca.string() + ": no certificates in PEM"));
  }
}

TEST_CASE("TlsContext: the group may read the key", "[common][unit]") {
  const Folder folder;
  REQUIRE(chmod(folder.files.key.c_str(), 0640) == 0);
  CHECK(TlsContext::load(folder.files).ok());
}

TEST_CASE("TlsContext: a certificate that is not valid yet or any more has an error with the date", "[common][unit]") {
  const Folder folder;
  const auto context = TlsContext::load(folder.files).value();
  const auto not_before = context->chain().front().not_before;
  CHECK(context->check_dates(not_before).ok());
  CHECK(context->check_dates(context->not_after()).ok());
  const auto early = context->check_dates(not_before - 1s);
  REQUIRE_FALSE(early.ok());
  CHECK(early.error().message.find("the certificate is not valid before 2") != std::string::npos);
  const auto late = context->check_dates(context->not_after() + 1s);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().message.find("the certificate expired on 2") != std::string::npos);
}

TEST_CASE("TlsContext: the facts of each certificate of the chain are known", "[common][unit]") {
  const Certificate authority({.name = "authority", .valid_to = 12h, .is_authority = true});
  const Folder folder;
  folder.write(Certificate({.name = "yolod.example", .issuer = &authority}));
  authority.append_certificate(folder.files.certificate);
  TlsConfig files = folder.files;
  files.client_ca = folder.directory.path() / "ca.pem";
  authority.write_certificate(files.client_ca);
  const auto context = TlsContext::load(files).value();
  CHECK(context->warnings().empty());
  REQUIRE(context->chain().size() == 2);
  const CertificateFacts& own = context->chain().front();
  CHECK(own.subject == "CN=yolod.example");
  CHECK(own.issuer == "CN=authority");
  CHECK(own.names == std::vector<std::string>{"yolod.example", "127.0.0.1"});
  CHECK(own.key == "ECDSA P-256");
  CHECK(context->chain().back().subject == "CN=authority");
  CHECK(context->client_authorities() == std::vector<std::string>{"CN=authority"});
  // The chain is valid until its first certificate expires.
  CHECK(context->not_after() == context->chain().back().not_after);
  const auto late = context->check_dates(context->not_after() + 1s);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().message.find("the certificate of \"CN=authority\" expired on 2") != std::string::npos);
}

TEST_CASE("TlsContext: certificates that are no chain are a warning", "[common][unit]") {
  const Folder folder;
  folder.write(Certificate({.name = "yolod.example"}));
  Certificate({.name = "stranger", .is_authority = true}).append_certificate(folder.files.certificate);
  const auto context = TlsContext::load(folder.files).value();
  REQUIRE(context->warnings().size() == 1);
  CHECK(context->warnings().front().find("CN=stranger") != std::string::npos);
}

TEST_CASE("TlsContext: a name with control characters is shown without them", "[common][unit]") {
  const Folder folder;
  folder.write(Certificate({.name = "a\nb\x1b[31m"}));
  const auto subject = TlsContext::load(folder.files).value()->chain().front().subject;
  CAPTURE(subject);
  CHECK(subject.starts_with("CN=a"));
  CHECK(std::none_of(subject.begin(), subject.end(), [](unsigned char c) { return c < 0x20; }));
}

TEST_CASE("TlsContext: an RSA key that makes slow handshakes is a warning", "[common][unit]") {
  const int bits = GENERATE(2048, 3072, 4096);
  const Folder folder;
  folder.write(Certificate({.rsa_bits = bits}));
  const auto context = TlsContext::load(folder.files).value();
  CHECK(context->warnings().size() == (bits > 3072 ? 1 : 0));
}

}  // namespace
}  // namespace yolod::common
