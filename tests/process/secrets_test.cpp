// This test plants secrets in a server and uses them. Then it looks for them in logs, answers, the audit log, the
// memory that workers share, and the arguments and environments of all processes.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "common/unique_fd.hpp"
#include "tests/support/access_server.hpp"
#include "tests/support/people_server.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/tls_client.hpp"

namespace yolod::tests {
namespace {

// Returns the first line of the key's base64 text.
std::string part_of_private_key(const std::filesystem::path& file) {
  const auto text = read_file(file);
  const auto begin = text.find('\n') + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

// Returns the content of the memory that the front-end shares with workers: the arena and the lanes. Returns an empty
// text if this user may not read it.
std::string shared_memory_of_workers(pid_t front_end) {
  std::string content;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(front_end) + "/fd")) {
    std::error_code failure;
    const auto target = std::filesystem::read_symlink(entry.path(), failure).string();
    const bool is_shared =
        target.find("memfd:yolod-arena") != std::string::npos || target.find("memfd:yolod-lane") != std::string::npos;
    if (failure || !is_shared) continue;
    const common::UniqueFd region(open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!region.valid()) continue;
    for (off_t begin = 0; (begin = lseek(region.get(), begin, SEEK_DATA)) >= 0;) {
      const off_t end = lseek(region.get(), begin, SEEK_HOLE);
      std::string piece(static_cast<std::size_t>(end - begin), '\0');
      const ssize_t got = pread(region.get(), piece.data(), piece.size(), begin);
      content.append(piece, 0, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      begin = end;
    }
  }
  return content;
}

std::string form_with(const std::string& key) {
  return "--xx\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\nthe picture of the form\r\n"
         "--xx\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n" +
         key + "\r\n--xx--\r\n";
}

}  // namespace

TEST_CASE("Secrets: no log, answer, argument or environment has a secret of the server or of a person", "[people]") {
  const std::string file_key = "file-key-7Zq2mXw9";
  const std::string wrong_key = "wrong-key-4Rk8sLp1";
  const std::string bad_cookie = "bad-session-5Tn3vBc6";
  const std::string database_password = "database-password-9Jd2hGf7";
  const std::string person_password = "person-password-3Wy6uEr8";
  const std::string wrong_password = "wrong-password-1Mk5oIp4";
  const TlsFolder tls;
  const KeyFile keys{{"ci", file_key, "models,predict,admin"}};
  const TemporaryDirectory folder;
  const auto audit = folder.path() / "audit.log";
  const auto password_file = folder.write("password", database_password);
  std::filesystem::permissions(password_file, std::filesystem::perms(0600));

  // PostgreSQL is absent, so yolod-accounts tries to connect with the password again and again.
  enum class Database { kSqlite, kByConfig, kByFile };
  const auto kind = GENERATE(Database::kSqlite, Database::kByConfig, Database::kByFile);
  const std::string postgres = "postgres: {database: d, user: u, host: /nowhere, ";
  std::string database;
  if (kind == Database::kByConfig) database = postgres + "password: " + database_password + "}\n";
  if (kind == Database::kByFile) database = postgres + "password_file: " + password_file.string() + "}\n";
  std::vector<std::string> server_keys{tls.listen(), keys.server_key()};
  if (database.empty()) server_keys.emplace_back("state_dir: state");
  ServerOptions options;
  options.config = people_config(server_keys, "access: {mode: keys, register: open, audit_log: " + audit.string() +
                                                  "}\nlogging: {level: trace}\n" + database);
  options.with = {"PGPASSWORD=" + database_password};
  Server server(options);
  REQUIRE(server.wait_until_ready());
  // A server that has no keys of its accounts yet cannot know whether a key is wrong.
  const int refused = database.empty() ? 401 : 503;
  REQUIRE(wait_until([&] {
    return HttpClient(server.endpoint()).get("/v2", {{"X-API-Key", wrong_key}}).status == refused;
  }));

  std::string seen;  // all answers
  const auto keep = [&seen](const Answer& answer) {
    for (const auto& [name, value] : answer.headers) seen += name + ": " + value + "\n";
    seen += answer.body + "\n";
    return answer.status;
  };
  const std::vector<Endpoint> endpoints{server.endpoint(), tls_endpoint(server, tls_client(tls.authority))};
  for (const auto& endpoint : endpoints) {
    HttpClient client(endpoint);
    CHECK(keep(client.get("/status", with_key(file_key))) == 200);
    CHECK(keep(client.get("/metrics", with_key(file_key))) == 200);
    CHECK(keep(client.post("/predict", "abc", with_key(file_key))) == 200);
    CHECK(keep(client.get("/v2", {{"X-API-Key", wrong_key}})) == refused);
    CHECK(keep(client.get("/v2", {{"Cookie", "__Host-yolod=" + bad_cookie}})) == refused);
    CHECK(keep(client.get("/v2", {{"Authorization", "Bearer " + file_key}, {"X-API-Key", wrong_key}})) == 400);
    keep(client.get("/v2?key=" + wrong_key));
    const Headers form{{"Content-Type", "multipart/form-data; boundary=xx"}};
    const auto in_json = [](const std::string& key) {
      return R"({"model_id":"echo/1","image":{"type":"base64","value":"aGVsbG8="},"api_key":")" + key + "\"}";
    };
    CHECK(keep(client.post("/v1/vision/detection", form_with(file_key), form)) == 200);
    CHECK(keep(client.post("/v1/vision/detection", form_with(wrong_key), form)) == refused);
    CHECK(keep(client.post("/infer/object_detection", in_json(file_key))) == 200);
    CHECK(keep(client.post("/infer/object_detection", in_json(wrong_key))) == refused);
    CHECK(keep(client.post("/echo/1?api_key=" + file_key, "aGVsbG8=")) == 200);
    CHECK(keep(client.post("/echo/1?api_key=" + wrong_key, "aGVsbG8=")) == refused);
    CHECK(keep(client.post("/unknown/x?api_key=" + wrong_key, "aGVsbG8=")) == 404);
    Browser browser(endpoint);
    keep(browser.enroll("anna", person_password));
    keep(browser.log_in("anna", wrong_password));
  }
  HttpClient admin(server.admin_endpoint());
  keep(admin.get("/status"));
  keep(admin.get("/metrics"));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return !server.log_lines_with("reload: done").empty(); }));
  const auto printed =
      run_program({"yolod", "--print-config", "--config", (server.directory() / "system.yaml").string()});
  CHECK(printed.exit == exited(0));

  std::vector<std::pair<std::string, std::string>> places{{"the answers", seen},
                                                          {"the audit log", read_file(audit)},
                                                          {"the printed config", printed.output + printed.errors}};
  const auto shared = shared_memory_of_workers(server.pid());
  if (!shared.empty()) CHECK(shared.find("the picture of the form") != std::string::npos);
  places.emplace_back("the memory that workers share", shared);
  auto processes = descendants_of(server.pid());
  processes.push_back(process_info(server.pid()).value());
  CHECK(processes.size() >= 4);  // the front-end, a loader, a worker and yolod-accounts
  for (const auto& process : processes) {
    const auto of_process = "/proc/" + std::to_string(process.pid) + "/";
    places.emplace_back("the arguments of " + process.name, read_file(of_process + "cmdline"));
    // The operator's own environment of the front-end is not yolod's.
    if (process.pid != server.pid())
      places.emplace_back("the environment of " + process.name, read_file(of_process + "environ"));
  }
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
  places.emplace_back("the log", server.log());

  const std::vector<std::string> secrets{file_key,
                                         wrong_key,
                                         bad_cookie,
                                         person_password,
                                         wrong_password,
                                         database_password,
                                         part_of_private_key(tls.key())};
  for (const auto& [place, text] : places) {
    for (const auto& secret : secrets) {
      CAPTURE(place, secret);
      REQUIRE(secret.size() > 10);
      CHECK(text.find(secret) == std::string::npos);
    }
  }
  CHECK_FALSE(read_file(audit).empty());
}

}  // namespace yolod::tests
