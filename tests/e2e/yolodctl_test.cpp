// These tests run yolodctl against a running server.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/bodies.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/tls_client.hpp"

namespace yolod::tests {
namespace {

struct ServerAndPicture {
  Server server{identity_config({{.workers = 2, .delay = 2ms}})};
  TemporaryDirectory folder;
  std::string image = folder.write("a.jpg", random_body(10'000, 1)).string();
  ServerAndPicture() { REQUIRE(server.wait_until_ready()); }
};

bool has_ipv6_loopback() {
  const int socket = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool is_bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return is_bound;
}

// Returns the port of the listener whose URL in the log begins with `prefix`.
std::string port_behind(const Server& server, const std::string& prefix) {
  const std::string log = server.log();
  const auto at = log.find(prefix);
  REQUIRE(at != std::string::npos);
  const auto begin = at + prefix.size();
  return log.substr(begin, log.find_first_not_of("0123456789", begin) - begin);
}

}  // namespace

TEST_CASE_METHOD(ServerAndPicture, "Yolodctl: status --json prints the server's own JSON", "[e2e]") {
  const auto result = run_program({"yolodctl", "status", "--url", server.url(), "--json"});
  CAPTURE(result.errors);
  CHECK(result.exit == exited(0));
  const auto value = boost::json::parse(result.output);
  CHECK(value.at("pid") == server.pid());
  CHECK(value.at("models").at(0).at("workers").as_array().size() == 2);
}

TEST_CASE_METHOD(ServerAndPicture, "Yolodctl: status is a table with a line for each worker", "[e2e]") {
  const auto result = run_program({"yolodctl", "status", "--url", server.url()});
  CHECK(result.exit == exited(0));
  CHECK_THAT(result.output, Catch::Contains("echo"));
  for (const pid_t pid : server.worker_pids()) CHECK_THAT(result.output, Catch::Contains(std::to_string(pid)));
}

TEST_CASE("Yolodctl: status reaches a server on a Unix socket", "[e2e]") {
  const TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  Server server(identity_config({{.workers = 1}}, {"listen: [\"unix:" + path + "\"]"}));
  REQUIRE(server.wait_until_ready());
  const auto result = run_program({"yolodctl", "status", "--url", "unix:" + path, "--json"});
  CAPTURE(result.errors);
  CHECK(result.exit == exited(0));
  CHECK(boost::json::parse(result.output).at("pid") == server.pid());
}

TEST_CASE_METHOD(ServerAndPicture, "Yolodctl: bench server in a closed loop counts every answer", "[e2e]") {
  const auto result = run_program({"yolodctl", "bench", "server", "--url", server.url(), "--image", image,
                                   "--connections", "4", "--duration", "1s", "--json"});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  const auto value = boost::json::parse(result.output);
  CHECK(value.at("answered").to_number<int>() > 100);
  CHECK(value.at("errors").as_object().empty());
  CHECK(value.at("throughput_per_s").to_number<double>() > 100 / slowness());
  const auto& latency = value.at("latency_ms");
  // No answer can come before the model's own delay has passed.
  CHECK(latency.at("p50").to_number<double>() >= 2);
  CHECK(latency.at("p50").to_number<double>() <= latency.at("p99").to_number<double>());
  CHECK(latency.at("p99").to_number<double>() <= latency.at("max").to_number<double>());
}

TEST_CASE_METHOD(ServerAndPicture, "Yolodctl: bench server speaks the Open Inference Protocol", "[e2e]") {
  const auto result = run_program({"yolodctl", "bench", "server", "--url", server.url(), "--image", image, "--protocol",
                                   "oip", "--model", "echo", "--duration", "500ms", "--json"});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  const auto value = boost::json::parse(result.output);
  CHECK(value.at("protocol") == "oip");
  CHECK(value.at("succeeded").to_number<int>() > 10);
  CHECK(value.at("errors").as_object().empty());
  const auto nameless =
      run_program({"yolodctl", "bench", "server", "--url", server.url(), "--image", image, "--protocol", "oip"});
  CHECK(nameless.exit == exited(2));
  CHECK(nameless.errors.find("--protocol oip needs --model") != std::string::npos);
}

TEST_CASE_METHOD(ServerAndPicture, "Yolodctl: bench server in an open loop keeps to its rate", "[e2e]") {
  const auto result = run_program({"yolodctl", "bench", "server", "--url", server.url(), "--image", image, "--rate",
                                   "50", "--duration", "2s", "--json"});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  const auto value = boost::json::parse(result.output);
  CHECK(value.at("answered").to_number<int>() + value.at("not_sent").to_number<int>() == 100);
}

TEST_CASE_METHOD(ServerAndPicture, "Yolodctl: bench server counts errors by their status", "[e2e]") {
  const auto result = run_program({"yolodctl", "bench", "server", "--url", server.url(), "--image", image, "--model",
                                   "nope", "--connections", "1", "--duration", "300ms", "--json"});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(1));
  const auto value = boost::json::parse(result.output);
  CHECK(value.at("errors").at("404").to_number<int>() > 0);
}

TEST_CASE("Yolodctl: commands reach a server over https if they trust its certificate", "[e2e]") {
  const TlsFolder tls;
  Server server(identity_config({{.workers = 1}}, {tls.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto port = std::to_string(tls_endpoint(server, nullptr).port);
  const auto url = "https://127.0.0.1:" + port;
  const TemporaryDirectory folder;
  const auto image = folder.write("a.jpg", random_body(100'000, 1)).string();
  const auto authority = (folder.path() / "authority.pem").string();
  tls.authority.write_certificate(authority);
  const std::vector<std::string> trusting{"--ca", authority};
  const std::vector<std::string> insecure{"--insecure"};
  const auto run = [](std::vector<std::string> command, const std::vector<std::string>& more) {
    command.insert(command.begin(), "yolodctl");
    command.insert(command.end(), more.begin(), more.end());
    return run_program(command);
  };
  const std::vector<std::vector<std::string>> commands{
      {"status", "--json", "--url", url},
      {"bench", "server", "--connections", "2", "--duration", "300ms", "--image", image, "--json", "--url", url},
      {"watch", folder.path().string(), "--url", url}};
  for (const auto& command : commands) {
    CAPTURE(command.front());
    for (const auto& accepting : {trusting, insecure}) {
      const auto done = run(command, accepting);
      CAPTURE(done.output, done.errors);
      CHECK(done.exit == exited(0));
    }
    const auto refused = run(command, {});
    CAPTURE(refused.output, refused.errors);
    CHECK(refused.exit == exited(1));
    CHECK_THAT(refused.errors, Catch::Contains("the server's certificate is refused: ") && Catch::Contains("--ca"));
  }
  // The certificate is for localhost and 127.0.0.1.
  CHECK(run({"status", "--url", "https://localhost:" + port}, trusting).exit == exited(0));
  // Plain HTTP at the other end is an error of the handshake, and the options are for https only.
  const auto plain = run({"status", "--url", "https://127.0.0.1:" + std::to_string(server.endpoint().port)}, trusting);
  CHECK(plain.exit == exited(1));
  CHECK_THAT(plain.errors, Catch::Contains("the TLS handshake failed"));
  CHECK(run({"status", "--url", server.url()}, insecure).exit == exited(2));
  CHECK(run({"status", "--url", url}, {"--ca", image}).exit == exited(1));
  // The server gets a certificate for another name.
  tls.renew(Certificate({.name = "elsewhere", .issuer = &tls.authority}));
  ProgramResult other_name;
  CHECK(wait_until([&] {
    other_name = run({"status", "--url", "https://localhost:" + port}, trusting);
    return other_name.exit == exited(1);
  }));
  CHECK_THAT(other_name.errors, Catch::Contains("hostname mismatch"));
}

TEST_CASE("Yolodctl: commands reach a server at an IPv6 address, whose certificate must have the address", "[e2e]") {
  if (!has_ipv6_loopback()) {
    WARN("SKIPPED: the machine has no IPv6 loopback");
    return;
  }
  const TlsFolder tls;
  Server server(identity_config(
      {{.workers = 1}}, {"listen: [\"127.0.0.1:0\", \"[::1]:0\", {address: \"[::1]:0\", tls: " + tls.yaml() + "}]"}));
  REQUIRE(server.wait_until_ready());
  const auto plain_port = port_behind(server, "listening on http://[::1]:");
  const auto tls_port = port_behind(server, "listening on https://[::1]:");
  const TemporaryDirectory folder;
  folder.write("a.jpg", random_body(1'000, 1));
  const auto authority = (folder.path() / "authority.pem").string();
  tls.authority.write_certificate(authority);
  const auto run = [](std::vector<std::string> command, const std::string& url, const std::string& ca = {}) {
    command.insert(command.begin(), "yolodctl");
    command.insert(command.end(), {"--url", url});
    if (!ca.empty()) command.insert(command.end(), {"--ca", ca});
    return run_program(command);
  };
  const std::vector<std::vector<std::string>> commands{{"status"}, {"watch", folder.path().string()}};
  // The zone %1 is the loopback interface.
  const std::vector<std::string> hosts{"[::1]:", "[::1%1]:"};
  for (const auto& command : commands) {
    for (const auto& host : hosts) {
      CAPTURE(command.front(), host);
      const auto plain = run(command, "http://" + host + plain_port);
      CAPTURE(plain.errors);
      CHECK(plain.exit == exited(0));
      // The authority is trusted, but the certificate is for 127.0.0.1.
      const auto refused = run(command, "https://" + host + tls_port, authority);
      CAPTURE(refused.errors);
      CHECK(refused.exit == exited(1));
      CHECK_THAT(refused.errors, Catch::Contains("the server's certificate is refused: IP address mismatch"));
    }
  }
  tls.renew(Certificate({.address = "::1", .issuer = &tls.authority}));
  CHECK(wait_until([&] { return run({"status"}, "https://[::1]:" + tls_port, authority).exit == exited(0); }));
  for (const auto& command : commands) {
    for (const auto& host : hosts) {
      CAPTURE(command.front(), host);
      const auto done = run(command, "https://" + host + tls_port, authority);
      CAPTURE(done.errors);
      CHECK(done.exit == exited(0));
    }
  }
}

TEST_CASE("Yolodctl: an unreachable server is one clear line and exit 1", "[e2e]") {
  const TemporaryDirectory folder;
  const auto url = "unix:" + (folder.path() / "none.sock").string();
  const auto status = run_program({"yolodctl", "status", "--url", url});
  CHECK(status.exit == exited(1));
  CHECK_THAT(status.errors, Catch::Contains("none.sock"));
  const auto bench = run_program({"yolodctl", "bench", "server", "--url", url, "--image", "/etc/hostname"});
  CHECK(bench.exit == exited(1));
  CHECK_THAT(bench.errors, Catch::Contains("none.sock"));
}

TEST_CASE("Yolodctl: a wrong command line exits 2", "[e2e]") {
  CHECK(run_program({"yolodctl"}).exit == exited(2));
  CHECK(run_program({"yolodctl", "status", "--url", "ftp://x"}).exit == exited(2));
  CHECK(run_program({"yolodctl", "bench", "server", "--url", "http://127.0.0.1:1"}).exit == exited(2));
  CHECK(run_program({"yolodctl", "bench", "server", "--image", "/nonexistent.jpg"}).exit == exited(2));
  const auto complaint = [](const std::vector<std::string>& more) {
    std::vector<std::string> command{"yolodctl", "status", "--url", "https://127.0.0.1:1"};
    command.insert(command.end(), more.begin(), more.end());
    const auto result = run_program(command);
    CHECK(result.exit == exited(2));
    return result.errors;
  };
  CHECK_THAT(complaint({"--ca", ""}), Catch::StartsWith("--ca: The name of the file is empty\n"));
  CHECK_THAT(complaint({"--ca", "/etc/hostname", "--insecure"}), Catch::StartsWith("--ca excludes --insecure\n"));
}

}  // namespace yolod::tests
