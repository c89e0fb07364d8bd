// These tests run yolodctl check-tls on good and bad files.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/tls_client.hpp"

namespace yolod::tests {
namespace {

ProgramResult check_tls(const TlsFolder& folder, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"yolodctl", "check-tls",          "--certificate", folder.certificate().string(),
                                     "--key",    folder.key().string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

}  // namespace

TEST_CASE("CheckTls: good files are shown with their facts", "[e2e]") {
  const TlsFolder folder(true);
  const auto result = check_tls(folder, {"--client-ca", folder.client_ca().string()});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  for (const char* fact :
       {"subject  CN=localhost", "issuer   CN=authority", "names    localhost, 127.0.0.1", "0 days left",
        "key      ECDSA P-256", "clients need a certificate of: CN=authority", "The server can use these files."}) {
    CHECK_THAT(result.output, Catch::Contains(fact));
  }
}

TEST_CASE("CheckTls: every fault is shown, and the exit code is 1", "[e2e]") {
  const TlsFolder folder;
  const auto refused = [&](const std::string& fault, const std::vector<std::string>& more = {}) {
    const auto result = check_tls(folder, more);
    CAPTURE(result.output, result.errors);
    CHECK(result.exit == exited(1));
    CHECK_THAT(result.output, Catch::Contains("fault: " + fault));
    CHECK_THAT(result.output, Catch::Contains("subject  CN=localhost"));
    CHECK_THAT(result.output, Catch::Contains("The server refuses these files."));
  };
  SECTION("the key is another certificate's, and the authorities are missing") {
    Certificate({}).write_key(folder.key());
    refused(folder.key().string() + ": this key does not belong to the certificate",
            {"--client-ca", "/nonexistent.pem"});
    refused("/nonexistent.pem: no certificates in PEM: No such file or directory", {"--client-ca", "/nonexistent.pem"});
  }
  SECTION("every user may read the key") {
    std::filesystem::permissions(folder.key(), std::filesystem::perms::others_read, std::filesystem::perm_options::add);
    refused(folder.key().string() + ": every user may read this key");
  }
  SECTION("the certificate has expired") {
    folder.renew(Certificate({.valid_from = -48h, .valid_to = -24h}));
    refused(folder.certificate().string() + ": the certificate expired on 2");
  }
}

TEST_CASE("CheckTls: with --config the files of each listener are checked", "[e2e]") {
  const TlsFolder folder;
  const TemporaryDirectory directory;
  const auto config = directory.write("system.yaml", identity_config({{}}, {folder.listen(), "tls: " + folder.yaml()}));
  const auto good = run_program({"yolodctl", "check-tls", "--config", config.string()});
  CAPTURE(good.output, good.errors);
  CHECK(good.exit == exited(0));
  CHECK_THAT(good.output, Catch::Contains("server.tls\n"));
  CHECK_THAT(good.output, Catch::Contains("server.listen[1].tls, for 127.0.0.1:0\n"));
  std::filesystem::remove(folder.key());
  CHECK(run_program({"yolodctl", "check-tls", "--config", config.string()}).exit == exited(1));
  const auto plain = directory.write("plain.yaml", identity_config({{}}));
  const auto without = run_program({"yolodctl", "check-tls", "--config", plain.string()});
  CHECK(without.exit == exited(1));
  CHECK_THAT(without.errors, Catch::Contains("no listener has TLS"));
}

TEST_CASE("CheckTls: a wrong command line or config exits 2", "[e2e]") {
  CHECK(run_program({"yolodctl", "check-tls"}).exit == exited(2));
  CHECK(run_program({"yolodctl", "check-tls", "--certificate", "a.pem"}).exit == exited(2));
  CHECK(run_program({"yolodctl", "check-tls", "--config", "/nonexistent.yaml"}).exit == exited(2));
}

}  // namespace yolod::tests
