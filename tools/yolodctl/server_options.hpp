// The options of commands that ask a running server: its address, and the certificates that they accept.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "tools/yolodctl/http_client.hpp"

namespace yolod::tools {

struct ServerOptions {
  std::string url{"http://127.0.0.1:8080"};
  TlsTrust trust;
};

// `options` outlives the command.
inline void add_server_options(CLI::App& command, ServerOptions& options) {
  command.add_option("--url", options.url, "The server: http://host:port, https://host:port or unix:/path")
      ->capture_default_str();
  auto* const ca =
      command.add_option("--ca", options.trust.ca_file,
                         "A file with the certificates of the authorities that https trusts; by default the system's");
  ca->check([](const std::string& file) { return file.empty() ? "The name of the file is empty" : ""; });
  ca->check(CLI::ExistingFile);
  command.add_flag("--insecure", options.trust.is_insecure, "With https, accept every certificate")->excludes(ca);
}

}  // namespace yolod::tools
