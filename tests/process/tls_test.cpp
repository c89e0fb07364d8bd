// These tests send requests to a server with TLS, in good and in bad ways.
#include <openssl/ssl.h>
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/load.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/tls_client.hpp"

namespace yolod::tests {
namespace {

double handshakes(const Server& server, const char* result) {
  return server.metric("yolod_tls_handshakes_total", {{"result", result}});
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// The output of openssl s_client after one handshake.
struct SClient {
  bool shook_hands{false};
  std::string output;
};

SClient s_client(const TlsFolder& folder, const Endpoint& endpoint, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{
      "/usr/bin/openssl",          "s_client",   "-connect", "127.0.0.1:" + std::to_string(endpoint.port), "-CAfile",
      folder.client_ca().string(), "-verify_ip", "127.0.0.1"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto result = run_program(command);
  const std::string output = result.output + result.errors;
  return {contains(output, "Verify return code: 0 (ok)") && !contains(output, "Cipher is (NONE)"), output};
}

}  // namespace

TEST_CASE("Tls: predictions are answered over TLS, whatever the form of their body", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 2}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto used_before = server.metric("yolod_arena_bytes", {{"kind", "used"}});
  {
    HttpClient client(tls_endpoint(server, tls_client(folder.authority)));
    std::uint64_t seed = 0;
    for (const std::size_t size : {1, 100, 16'384, 100'000, 3'000'000}) {
      CAPTURE(size);
      const auto body = random_body(size, ++seed);
      CHECK(is_identity_answer(client.post("/predict", body), body));
      Request chunked{.method = "POST", .target = "/predict", .body = body, .chunk_bytes = 5000};
      chunked.headers = {{"Content-Type", "application/octet-stream"}};
      CHECK(is_identity_answer(client.send(chunked), body));
      Request expecting{.method = "POST", .target = "/predict", .body = body};
      expecting.headers = {{"Content-Type", "application/octet-stream"}, {"Expect", "100-continue"}};
      const auto text = serialise(expecting);
      REQUIRE(client.write(text.substr(0, text.size() - size)));
      REQUIRE(wait_until([&] { return client.has_unread_bytes(); }));
      REQUIRE(client.write(body));
      const auto answer = client.read_answer();
      CHECK(answer.continued);
      CHECK(is_identity_answer(answer, body));
      CHECK(answer.reused);
    }
    CHECK(client.get("/readyz").status == 200);
    CHECK(server.metric("yolod_arena_bytes", {{"kind", "used"}}) == used_before);
    CHECK(handshakes(server, "done") == 1);
    CHECK(server.metric("yolod_tls_not_after_seconds") > 1'700'000'000);
  }
  check_after_case(server, before);
}

TEST_CASE("Tls: plain HTTP at a TLS port is answered 400, and says what to do", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 1}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto endpoint = tls_endpoint(server, nullptr);
  {
    HttpClient client(endpoint);
    const auto answer = client.post("/predict", random_body(50'000, 1));
    CHECK(answer.status == 400);
    CHECK(answer.error_code() == "bad_request");
    CHECK(contains(answer.body, "use https:// instead of http://"));
    CHECK(answer.header("Connection") == "close");
    CHECK_FALSE(answer.header("X-Request-Id").empty());
    CHECK(client.wait_for_close());
  }
  CHECK(handshakes(server, "plain_http") == 1);
  CHECK(HttpClient(tls_endpoint(server, tls_client(folder.authority))).get("/healthz").status == 200);
  check_after_case(server, before);
}

TEST_CASE("Tls: openssl finds the versions and features that the server offers", "[process]") {
  const TlsFolder folder(true);
  Server server(
      identity_config({{.workers = 1}}, {"listen: [\"127.0.0.1:0\", {address: \"127.0.0.1:0\", tls: {certificate: " +
                                         folder.certificate().string() + ", key: " + folder.key().string() + "}}]"}));
  REQUIRE(server.wait_until_ready());
  const auto endpoint = tls_endpoint(server, nullptr);
  const std::string weak = "DEFAULT:@SECLEVEL=0";
  const auto offered = [&](const std::vector<std::string>& arguments) {
    const auto result = s_client(folder, endpoint, arguments);
    INFO(result.output);
    CHECK(result.shook_hands);
    return result.output;
  };
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const auto result = s_client(folder, endpoint, arguments);
    INFO(result.output);
    CHECK_FALSE(result.shook_hands);
  };
  refused({"-tls1", "-cipher", weak});
  refused({"-tls1_1", "-cipher", weak});
  refused({"-tls1_2", "-cipher", "AES128-GCM-SHA256"});
  refused({"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"});
  refused({"-groups", "P-521"});
  refused({"-groups", "ffdhe8192"});
  refused({"-alpn", "h2"});
  const auto version_1_2 = offered({"-tls1_2", "-reconnect"});
  CHECK(contains(version_1_2, "Compression: NONE"));
  CHECK(contains(version_1_2, "ECDHE-ECDSA-AES"));
  CHECK_FALSE(contains(version_1_2, "Reused, "));
  CHECK_FALSE(contains(version_1_2, "TLS session ticket:"));
  const auto version_1_3 = offered({"-tls1_3"});
  CHECK_FALSE(contains(version_1_3, "New Session Ticket"));
  CHECK(contains(version_1_3, "Compression: NONE"));
  CHECK(contains(offered({"-alpn", "h2,http/1.1"}), "ALPN protocol: http/1.1"));
}

TEST_CASE("Tls: a client that asks for renegotiation is refused", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 1}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto context = tls_client(folder.authority);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  HttpClient client(tls_endpoint(server, context));
  REQUIRE(client.get("/healthz").status == 200);
  REQUIRE(SSL_renegotiate(client.tls()) == 1);
  CHECK_FALSE(client.get("/healthz").answered());
  CHECK(HttpClient(tls_endpoint(server, context)).get("/healthz").status == 200);
}

TEST_CASE("Tls: with client_ca the server serves clients of that authority, and names them in the log", "[process]") {
  const TlsFolder folder(true);
  Server server(identity_config({{.workers = 1}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const Certificate camera({.name = "camera 7", .issuer = &folder.authority});
  const Certificate other_authority({.name = "authority", .is_authority = true});
  const Certificate stranger({.name = "stranger", .issuer = &other_authority});
  const Certificate expired({.name = "expired", .valid_from = -48h, .valid_to = -24h, .issuer = &folder.authority});
  const auto body = random_body(100'000, 1);
  CHECK(is_identity_answer(
      HttpClient(tls_endpoint(server, tls_client(folder.authority, &camera))).post("/predict", body), body));
  CHECK(wait_until(
      [&] { return !server.log_lines_with("has connected with the certificate of \"CN=camera 7\"").empty(); }));
  for (const Certificate* one : {static_cast<const Certificate*>(nullptr), &stranger, &expired}) {
    CHECK_FALSE(HttpClient(tls_endpoint(server, tls_client(folder.authority, one))).post("/predict", body).answered());
  }
  CHECK(handshakes(server, "no_certificate") == 3);
  CHECK(handshakes(server, "done") == 1);
  CHECK(server.log_lines_with("stranger").empty());
  check_after_case(server, before);
}

TEST_CASE("Tls: slow handshakes are ended after header_timeout, and others are served meanwhile", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 2}}, {folder.listen(), "header_timeout: 2s"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    const auto endpoint = tls_endpoint(server, nullptr);
    const auto began = Clock::now();
    std::vector<HttpClient> slow;
    for (int i = 0; i < 50; ++i) {
      slow.emplace_back(endpoint);
      REQUIRE(slow.back().connect());
      REQUIRE(slow.back().write("\x16\x03\x01\x02"));  // the beginning of a record
    }
    const auto trusting = tls_client(folder.authority);
    std::uint64_t served = 0;
    while (Clock::now() - began < 1s) {
      const auto body = random_body(1000, ++served);
      REQUIRE(is_identity_answer(HttpClient(tls_endpoint(server, trusting)).post("/predict", body), body));
    }
    CHECK(served >= 10);
    for (auto& client : slow) CHECK(client.wait_for_close());
    CHECK(Clock::now() - began >= 2s);
    CHECK(handshakes(server, "failed") == 50);
  }
  check_after_case(server, before);
}

TEST_CASE("Tls: more handshakes than the server allows make room for a new client", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 1}}, {folder.listen(), "header_timeout: 60s"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    constexpr int kMoreThanAllowed = 530;
    const auto endpoint = tls_endpoint(server, nullptr);
    std::vector<HttpClient> silent;
    for (int i = 0; i < kMoreThanAllowed; ++i) {
      silent.emplace_back(endpoint);
      REQUIRE(silent.back().connect());
    }
    const auto body = random_body(1000, 1);
    const auto began = Clock::now();
    CHECK(is_identity_answer(HttpClient(tls_endpoint(server, tls_client(folder.authority))).post("/predict", body),
                             body));
    CHECK(Clock::now() - began < scaled(20s));
    CHECK(handshakes(server, "failed") >= 1);
  }
  check_after_case(server, before);
}

TEST_CASE("Tls: workers and loaders know neither the key nor its path", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 2}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto body = random_body(1000, 1);
  REQUIRE(
      is_identity_answer(HttpClient(tls_endpoint(server, tls_client(folder.authority))).post("/predict", body), body));
  const auto processes = descendants_of(server.pid());
  REQUIRE(processes.size() >= 3);
  for (const auto& process : processes) {
    CAPTURE(process.name, process.pid);
    const auto folder_of = std::filesystem::path("/proc") / std::to_string(process.pid);
    std::vector<std::string> known = environment_of(process.pid);
    known.push_back(read_file(folder_of / "cmdline"));
    known.push_back(read_file(folder_of / "maps"));
    for (const auto& descriptor : std::filesystem::directory_iterator(folder_of / "fd")) {
      std::error_code gone;
      known.push_back(std::filesystem::read_symlink(descriptor.path(), gone).string());
    }
    for (const auto& text : known) {
      CHECK_FALSE(contains(text, folder.key().string()));
      CHECK_FALSE(contains(text, folder.certificate().string()));
    }
    CHECK(mapping_count(process.pid, "libssl") == 0);
  }
}

TEST_CASE("Tls: SIGTERM under load answers every request in flight", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 2, .delay = 5ms}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto endpoint = tls_endpoint(server, tls_client(folder.authority));
  Load reused(endpoint, {.connection_count = 8});
  Load fresh(endpoint, {.connection_count = 8, .keep_alive = false});
  REQUIRE(reused.wait_for_answers(30));
  REQUIRE(fresh.wait_for_answers(30));
  const auto told_at = Clock::now();
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
  check_after_exit(server, before);
  for (Load* load : {&reused, &fresh}) {
    const auto counts = load->wait_until_refused();
    CHECK(counts.wrong == 0);
    CHECK(counts.hung == 0);
    CHECK(counts.incidents_before(told_at) == kNoneWrong);
  }
}

TEST_CASE("Tls: a worker that dies under load over TLS costs no answer", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 2, .delay = 5ms}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  REQUIRE(workers.size() == 2);
  {
    Load load(tls_endpoint(server, tls_client(folder.authority)), {.connection_count = 8});
    REQUIRE(load.wait_for_answers(30));
    ::kill(workers.front(), SIGKILL);
    REQUIRE(load.wait_for_answers(30));
    const auto counts = load.stop();
    CHECK(counts.wrong == 0);
    CHECK(counts.lost == 0);
    CHECK(counts.right == counts.answered);
  }
  check_after_case(server, before, {workers.front()});
}

}  // namespace yolod::tests
