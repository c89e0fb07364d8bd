// yolodctl check-tls checks the certificates and keys of a config, or files that the command line names, as the server
// does before it uses them.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "common/config/schema.hpp"
#include "common/tls/tls_context.hpp"
#include "tools/yolodctl/commands.hpp"

namespace yolod::tools {
namespace {

using common::CertificateFacts;
using common::TlsConfig;
using common::TlsContext;

struct CheckTlsOptions {
  std::string config_file;
  TlsConfig files;
};

// The TLS files of one place in the config.
struct NamedFiles {
  std::string name;  // "server.tls", "server.listen[1].tls"
  TlsConfig files;
};

std::vector<NamedFiles> files_of(const common::ServerConfig& server) {
  std::vector<NamedFiles> found;
  if (!server.tls.empty()) found.push_back({"server.tls", server.tls});
  for (std::size_t i = 0; i < server.listen.size(); ++i) {
    if (server.listen[i].tls.empty()) continue;
    found.push_back(
        {"server.listen[" + std::to_string(i) + "].tls, for " + server.listen[i].address, server.listen[i].tls});
  }
  return found;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text.empty() ? "none" : text;
}

void print(const CertificateFacts& certificate, CertificateFacts::TimePoint now) {
  const auto days = std::chrono::duration_cast<std::chrono::hours>(certificate.not_after - now).count() / 24;
  std::printf("  subject  %s\n  issuer   %s\n  names    %s\n  valid    %s to %s (%lld days left)\n  key      %s\n",
              certificate.subject.c_str(), certificate.issuer.c_str(), joined(certificate.names).c_str(),
              common::date_text(certificate.not_before).c_str(), common::date_text(certificate.not_after).c_str(),
              static_cast<long long>(days), certificate.key.c_str());
}

// Returns the number of faults.
std::size_t check(const NamedFiles& named) {
  const auto now = std::chrono::system_clock::now();
  const auto result = TlsContext::check(named.files, now);
  std::printf("%s\n", named.name.c_str());
  for (const CertificateFacts& certificate : result.chain) {
    const bool is_own = &certificate == &result.chain.front();
    std::printf("  %s\n", is_own ? named.files.certificate.c_str() : "  and after it:");
    print(certificate, now);
  }
  if (!result.client_authorities.empty()) {
    std::printf("  clients need a certificate of: %s\n", joined(result.client_authorities).c_str());
  }
  for (const auto& warning : result.warnings) std::printf("  warning: %s\n", warning.c_str());
  for (const auto& fault : result.faults) std::printf("  fault: %s\n", fault.c_str());
  return result.faults.size();
}

int run_check_tls(const CheckTlsOptions& options) {
  std::vector<NamedFiles> all;
  if (options.config_file.empty()) {
    all.push_back({"the files of the command line", options.files});
  } else {
    const auto loaded = common::load_config(options.config_file);
    for (const auto& problem : loaded.problems) std::fprintf(stderr, "%s\n", common::to_string(problem).c_str());
    if (!loaded.config) return 2;
    all = files_of(loaded.config->server);
    if (all.empty()) {
      std::fprintf(stderr, "yolodctl: %s names no certificate: no listener has TLS\n", options.config_file.c_str());
      return 1;
    }
  }
  std::size_t fault_count = 0;
  for (const NamedFiles& named : all) fault_count += check(named);
  std::printf(fault_count == 0 ? "The server can use these files.\n" : "The server refuses these files.\n");
  return fault_count == 0 ? 0 : 1;
}

}  // namespace

void add_check_tls(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<CheckTlsOptions>();
  auto* command = app.add_subcommand("check-tls", "check certificates and keys as the server does, and show them");
  auto* config = command->add_option("--config", options->config_file, "check the files that this system.yaml names");
  auto* certificate =
      command->add_option("--certificate", options->files.certificate, "the server's certificates, in PEM");
  auto* key = command->add_option("--key", options->files.key, "the private key, in PEM");
  auto* client_ca =
      command->add_option("--client-ca", options->files.client_ca, "the authorities of clients' certificates, in PEM");
  certificate->needs(key)->excludes(config);
  key->needs(certificate)->excludes(config);
  client_ca->needs(certificate)->excludes(config);
  command->callback([options, config, certificate, &exit_code] {
    if (config->count() + certificate->count() == 0) {
      throw CLI::RequiredError("--config, or --certificate and --key,");
    }
    exit_code = run_check_tls(*options);
  });
}

}  // namespace yolod::tools
