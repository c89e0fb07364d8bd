#include "common/config/schema.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/unit/common/parsed_config.hpp"

namespace yolod::common {
namespace {

using std::chrono::milliseconds;

constexpr const char* kModel = "models: [{name: a, identity: {}}]\n";

// Returns `server` keys in a config that is valid apart from them.
std::string with_server(const std::string& keys) { return kModel + ("server: {" + keys + "}\n"); }

TEST_CASE("Config: one model is enough, and everything else has a default", "[common][unit]") {
  Config expected;
  ModelConfig model;
  model.name = "a";
  expected.models = {model};
  expected.default_model = "a";
  CHECK(config_of(kModel) == expected);
}

TEST_CASE("Config: a section without keys has all defaults", "[common][unit]") {
  CHECK(config_of(std::string(kModel) + "server:\nmemory: {}\nlogging: ~\n") == config_of(kModel));
}

TEST_CASE("Config: every key of the server is read", "[common][unit]") {
  const Config config = config_of(std::string(kModel) + R"(
server:
  listen: [127.0.0.1:80, "[::1]:81", unix:/run/y.sock, localhost:82]
  admin_listen: 127.0.0.1:90
  max_body_bytes: 8MiB
  max_connections: 7
  header_timeout: 1s
  body_timeout: 2s
  write_timeout: 3s
  idle_timeout: 4s
  drain_delay: 5s
  shutdown_timeout: 6s
  tls: {certificate: c.pem, key: /k/../k.pem, client_ca: ca.pem}
  api_keys_file: keys
  insecure: true
access:
  mode: keys
  max_stale: 7s
  per_key: {requests_per_second: 1, requests_in_flight: 2}
  per_address: {requests_per_second: 3, requests_in_flight: 4, connections: 5}
  audit_log: audit
memory: {input_arena: 32MiB}
logging: {level: warning, format: json, file: ../log}
)");
  ServerConfig server;
  server.listen = {{"127.0.0.1:80"}, {"[::1]:81"}, {"unix:/run/y.sock"}, {"127.0.0.1:82"}};
  server.admin_listen = "127.0.0.1:90";
  server.max_body_bytes = 8U << 20U;
  server.max_connections = 7;
  server.header_timeout = milliseconds(1000);
  server.body_timeout = milliseconds(2000);
  server.write_timeout = milliseconds(3000);
  server.idle_timeout = milliseconds(4000);
  server.drain_delay = milliseconds(5000);
  server.shutdown_timeout = milliseconds(6000);
  server.tls = {"/etc/yolod/c.pem", "/k.pem", "/etc/yolod/ca.pem"};
  server.api_keys_file = "/etc/yolod/keys";
  server.insecure = true;
  CHECK(config.server == server);
  CHECK(config.access == AccessConfig{AccessMode::kKeys, milliseconds(7000), {1, 2}, {3, 4, 5}, "/etc/yolod/audit"});
  CHECK(config.memory.input_arena_bytes == 32U << 20U);
  CHECK(config.logging == LoggingConfig{LogLevel::kWarning, LogFormat::kJson, "/etc/log"});
}

TEST_CASE("Config: a file of keys turns on keys, and so does access.mode", "[common][unit]") {
  CHECK(config_of(kModel).access.mode == AccessMode::kOpen);
  CHECK(config_of(with_server("api_keys_file: keys")).access.mode == AccessMode::kKeys);
  CHECK(config_of(std::string(kModel) + "access: {mode: keys}\n").access.mode == AccessMode::kKeys);
  CHECK(config_of(with_server("api_keys_file: keys") + "access: {mode: keys}\n").access.mode == AccessMode::kKeys);
  const auto problem = problem_of(with_server("api_keys_file: keys") + "access: {mode: open}\n");
  CHECK(problem.find("access.mode: open needs no API key, but server.api_keys_file is given") != std::string::npos);
}

TEST_CASE("Config: each protocol can be switched off, and its aliases name models of the file", "[common][unit]") {
  const std::string models = "models: [{name: m, identity: {}}]\n";
  const auto all = config_of(models);
  CHECK((all.deepstack.enabled && all.doods.enabled && all.oip.enabled && all.roboflow.enabled));
  const auto none = config_of(models +
                              "deepstack: {enabled: false}\ndoods: {enabled: false}\noip: {enabled: false}\n"
                              "roboflow: {enabled: false, confidence: 0.2, aliases: {\"coco/3\": m, traffic: m}}\n");
  CHECK_FALSE((none.deepstack.enabled || none.doods.enabled || none.oip.enabled || none.roboflow.enabled));
  CHECK(none.roboflow.confidence == 0.2);
  CHECK(none.roboflow.aliases.at("coco/3") == "m");
  for (const std::string section : {"deepstack", "doods", "roboflow"}) {
    CHECK_THAT(problem_of(models + section + ": {aliases: {a: other}}\n"),
               Catch::Contains(section + ".aliases.a: \"other\" is not the name of a model"));
  }
}

TEST_CASE("Config: sandbox accepts exactly its four values", "[common][unit]") {
  CHECK(config_of(kModel).sandbox == SandboxMode::kAuto);
  CHECK(config_of(std::string(kModel) + "sandbox: required\n").sandbox == SandboxMode::kRequired);
  CHECK(config_of(std::string(kModel) + "sandbox: off\n").sandbox == SandboxMode::kOff);
  CHECK(config_of(std::string(kModel) + "sandbox: report\n").sandbox == SandboxMode::kReport);
  CHECK(problem_of(std::string(kModel) + "sandbox: on\n").find("sandbox") != std::string::npos);
}

TEST_CASE("Config: trusted_proxies takes addresses, ranges and unix", "[common][unit]") {
  CHECK(config_of(kModel).server.trusted_proxies.empty());
  CHECK(config_of(with_server("trusted_proxies: []")).server.trusted_proxies.empty());
  CHECK(config_of(with_server("trusted_proxies: [10.0.0.5, 10.1.0.0/16, '2001:db8::/32', unix]"))
            .server.trusted_proxies == std::vector<std::string>{"10.0.0.5", "10.1.0.0/16", "2001:db8::/32", "unix"});
  for (const char* const bad : {"10.0.0.5", "[proxy.example]", "[10.0.0.1/8]", "['0.0.0.0/0']", "[10.0.0.5:80]", "['']",
                                "[\"unix:/run/a.sock\"]"}) {
    CAPTURE(bad);
    CHECK(problem_of(with_server(std::string("trusted_proxies: ") + bad)).find("server.trusted_proxies") !=
          std::string::npos);
  }
}

TEST_CASE("Config: cors takes origins as browsers send them", "[common][unit]") {
  CHECK(config_of(kModel).server.cors == CorsConfig{});
  const auto cors = config_of(with_server("cors: {origins: [https://a.example, 'http://[::1]:8123', app://x], "
                                          "credentials: true, max_age: 5s}"))
                        .server.cors;
  CHECK(cors.origins == std::vector<std::string>{"https://a.example", "http://[::1]:8123", "app://x"});
  CHECK(cors.credentials);
  CHECK(cors.max_age == std::chrono::seconds(5));
  CHECK(config_of(with_server("cors: {origins: ['*']}")).server.cors.origins == std::vector<std::string>{"*"});
  for (const char* const bad : {"https://a.example", "[a.example]", "['https://a.example/']", "['https://A.example']",
                                "['https://a.example:443']", "['http://a.example:80']", "['null']", "['']",
                                "['https://*.example']", "['://a']", "['https://']"}) {
    CAPTURE(bad);
    CHECK(problem_of(with_server(std::string("cors: {origins: ") + bad + "}")).find("server.cors.origins") !=
          std::string::npos);
  }
  CHECK(problem_of(with_server("cors: {origins: ['*'], credentials: true}")).find("server.cors: credentials is true") !=
        std::string::npos);
}

TEST_CASE("Config: forwarded_header names one of the two fields", "[common][unit]") {
  CHECK(config_of(kModel).server.forwarded_header == ForwardedHeader::kXForwardedFor);
  CHECK(config_of(with_server("forwarded_header: forwarded")).server.forwarded_header == ForwardedHeader::kForwarded);
  CHECK(config_of(with_server("forwarded_header: x-forwarded-for")).server.forwarded_header ==
        ForwardedHeader::kXForwardedFor);
  CHECK(problem_of(with_server("forwarded_header: x-real-ip")).find("server.forwarded_header") != std::string::npos);
}

TEST_CASE("Config: admin_listen takes auto, nothing, or an address", "[common][unit]") {
  CHECK(config_of(kModel).server.admin_listen == "auto");
  CHECK(config_of(with_server("admin_listen: auto")).server.admin_listen == "auto");
  CHECK(config_of(with_server("admin_listen: \"\"")).server.admin_listen.empty());
  CHECK(config_of(with_server("admin_listen: unix:/run/a.sock")).server.admin_listen == "unix:/run/a.sock");
  CHECK(problem_of(with_server("admin_listen: automatic")).find("server.admin_listen") != std::string::npos);
}

TEST_CASE("Config: every model has the server's sandbox setting, and cannot set it", "[common][unit]") {
  CHECK(config_of(std::string(kModel) + "sandbox: required\n").models.at(0).sandbox == SandboxMode::kRequired);
  CHECK(problem_of("models:\n  - {name: a, identity: {}, sandbox: off}\n").find("sandbox") != std::string::npos);
}

TEST_CASE("Config: listen takes one address without a list", "[common][unit]") {
  CHECK(config_of(with_server("listen: \"127.0.0.1:0\"")).server.listen == std::vector<ListenAddress>{{"127.0.0.1:0"}});
}

TEST_CASE("Config: a unix socket may be given a mode and a group", "[common][unit]") {
  const auto listen = [](const std::string& value) { return config_of(with_server("listen: " + value)).server.listen; };
  CHECK(listen("{path: /run/y.sock}") == std::vector<ListenAddress>{{"unix:/run/y.sock"}});
  CHECK(listen("[{path: /run/y.sock, mode: 0660, group: www-data}, \"127.0.0.1:1\"]") ==
        std::vector<ListenAddress>{{"unix:/run/y.sock", 0660, "www-data"}, {"127.0.0.1:1"}});
  CHECK(listen("{path: /run/y.sock, mode: \"666\"}") == std::vector<ListenAddress>{{"unix:/run/y.sock", 0666}});
  for (const auto* const mode : {"0999", "1777", "rw", "-1", "\"\""}) {
    CAPTURE(mode);
    const auto problem = problem_of(with_server(std::string("listen: {path: /run/y.sock, mode: ") + mode + "}"));
    CHECK(problem.find("server.listen.mode: ") != std::string::npos);
    CHECK(problem.find("such as 0660") != std::string::npos);
  }
  CHECK(problem_of(with_server("listen: [{mode: 0660}]"))
            .find("server.listen[0]: neither address nor path is given, one of them is needed") != std::string::npos);
  CHECK(problem_of(with_server("listen: {path: y.sock}")).find("absolute path") != std::string::npos);
  CHECK(problem_of(with_server("listen: {path: /y.sock, gruop: a}")).find("\"group\"") != std::string::npos);
  CHECK(problem_of(with_server("listen: [{path: /y.sock}, \"unix:/y.sock\"]")).find("twice") != std::string::npos);
}

TEST_CASE("Config: a listener may be a map with its address and its TLS files", "[common][unit]") {
  const auto listen = [](const std::string& value) { return config_of(with_server("listen: " + value)).server.listen; };
  CHECK(listen("{address: \"127.0.0.1:443\"}") == std::vector<ListenAddress>{{"127.0.0.1:443"}});
  CHECK(listen("{address: \"unix:/run/y.sock\", mode: 0660}") ==
        std::vector<ListenAddress>{{"unix:/run/y.sock", 0660}});
  CHECK(listen("[{address: \"[::]:443\", tls: {certificate: c, key: /k}}, \"127.0.0.1:1\"]") ==
        std::vector<ListenAddress>{{"[::]:443", std::nullopt, "", {"/etc/yolod/c", "/k", ""}}, {"127.0.0.1:1"}});
}

TEST_CASE("Config: the keys of a listener's map must fit together", "[common][unit]") {
  const auto refused = [](const std::string& listener, const std::string& message) {
    const auto problem = problem_of(with_server("listen: [" + listener + "]"));
    CAPTURE(problem);
    CHECK(problem.find(message) != std::string::npos);
  };
  refused("{address: \"127.0.0.1:1\", path: /s}",
          "server.listen[0]: address and path are given, one of them is allowed");
  refused("{address: \"127.0.0.1:1\", mode: 0660}", "server.listen[0].mode: a TCP address has no file");
  refused("{address: \"127.0.0.1:1\", group: g}", "server.listen[0].group: a TCP address has no file");
  refused("{path: /s, tls: {certificate: c, key: k}}", "server.listen[0].tls: a unix socket has no TLS");
  refused("{address: \"127.0.0.1:1\", tls: {certificate: c}}",
          "server.listen[0].tls: a certificate and its key belong together");
  refused("{address: \"127.0.0.1:1\", tls: {client_ca: c}}", "server.listen[0].tls: client_ca is given, it needs");
  refused("{address: host:1}", "server.listen[0].address: ");
}

TEST_CASE("Config: an unknown key names the nearest known key", "[common][unit]") {
  const std::string problem = problem_of("models:\n  - name: a\n    identity: {}\n    wrokers: 2\n");
  CHECK(problem.find("system.yaml:4:5: models[0].wrokers: unknown key, did you mean \"workers\"?") == 0);
  CHECK(problem_of(std::string(kModel) + "sever: {}\n").find("\"server\"") != std::string::npos);
  CHECK(problem_of(with_server("tls: {certificat: x}")).find("\"certificate\"") != std::string::npos);
}

TEST_CASE("Config: a problem reads file, line, column, key, what is wrong, what is allowed", "[common][unit]") {
  CHECK(problem_of("models:\n  - name: a\n    identity: {}\n    workers: 300\n") ==
        "system.yaml:4:14: models[0].workers: \"300\" is out of range, allowed: 1 to 256");
  CHECK(to_string({"f:1:2", "", "bad"}) == "f:1:2: bad");
}

TEST_CASE("Config: all problems are reported at once, in the order of the file", "[common][unit]") {
  const auto lines = problems_of(
      "default_model: zz\n"
      "server:\n"
      "  listen: [\"*:80\", host:80]\n"
      "  idle_timeout: 5\n"
      "  idle_timeout: 6s\n"
      "models:\n"
      "  - workers: 0\n"
      "    darknet: {cfg: x, nmaes: y}\n"
      "    identity: {}\n"
      "    threads: many\n"
      "logging: {level: loud}\n");
  for (const std::string& line : lines) UNSCOPED_INFO(line);
  const std::vector<std::string> starts{"system.yaml:1:16: default_model:",
                                        "system.yaml:3:12: server.listen[0]:",
                                        "system.yaml:3:20: server.listen[1]:",
                                        "system.yaml:4:17: server.idle_timeout:",
                                        "system.yaml:5:3: server.idle_timeout:",
                                        "system.yaml:7:5: models[0].name: missing",
                                        "system.yaml:7:5: models[0]:",
                                        "system.yaml:7:14: models[0].workers:",
                                        "system.yaml:8:14: models[0].darknet.weights: missing",
                                        "system.yaml:8:14: models[0].darknet.names: missing",
                                        "system.yaml:8:23: models[0].darknet.nmaes:",
                                        "system.yaml:10:14: models[0].threads:",
                                        "system.yaml:11:18: logging.level:"};
  REQUIRE(lines.size() == starts.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    INFO(lines[i]);
    CHECK(lines[i].find(starts[i]) == 0);
  }
}

TEST_CASE("Config: a repeated key names the first place", "[common][unit]") {
  CHECK(problem_of(std::string(kModel) + "memory: {}\nmemory: {}\n") ==
        "system.yaml:3:1: memory: given twice, first at system.yaml:2:1; it is allowed once");
}

TEST_CASE("Config: a value of the wrong kind says what is needed", "[common][unit]") {
  CHECK(problem_of(std::string(kModel) + "server: 5\n").find("a single value, a map of keys is needed") !=
        std::string::npos);
  CHECK(problem_of(std::string(kModel) + "server: [1]\n").find("a list, a map") != std::string::npos);
  CHECK(problem_of("models: {a: {}}\n").find("a map, a list of models") != std::string::npos);
  CHECK(problem_of(with_server("idle_timeout: [1s]")).find("a list, a time") != std::string::npos);
  CHECK(problem_of(with_server("idle_timeout: ")).find("nothing, a time") != std::string::npos);
  CHECK(problem_of(with_server("max_connections: \"5\"")).find("quotes") != std::string::npos);
  CHECK(problem_of(with_server("listen: [[a]]")).find("a list, an address") != std::string::npos);
  CHECK(problem_of(with_server("api_keys_file: {}")).find("a map, a path") != std::string::npos);
  CHECK(problem_of("just text").find("a single value, a map of keys is needed") != std::string::npos);
  CHECK(problem_of("[1, 2]").find("a list, a map of keys is needed") != std::string::npos);
}

TEST_CASE("Config: the bounds are allowed, and values beyond them are refused", "[common][unit]") {
  const std::vector<std::string> allowed{"max_connections: 1",   "max_connections: 1000000", "header_timeout: 1ms",
                                         "header_timeout: 60m",  "drain_delay: 0",           "shutdown_timeout: 0",
                                         "max_body_bytes: 1KiB", "max_body_bytes: 128MiB"};
  for (const std::string& keys : allowed) {
    INFO(keys);
    CHECK(parsed(with_server(keys)).problems.empty());
  }
  const std::vector<std::string> refused{
      "max_connections: 0",        "max_connections: 1000001", "header_timeout: 0",
      "header_timeout: 3600001ms", "drain_delay: 601s",        "max_body_bytes: 1023",
      "max_body_bytes: 1025MiB",   "max_body_bytes: 0",        "listen: []"};
  for (const std::string& keys : refused) {
    INFO(keys);
    CHECK(parsed(with_server(keys)).problems.size() == 1);
  }
}

TEST_CASE("Config: a body may take half of the arena and no more", "[common][unit]") {
  const std::string arena = std::string(kModel) + "memory: {input_arena: 32MiB}\n";
  CHECK(parsed(arena + "server: {max_body_bytes: 16MiB}").problems.empty());
  CHECK(problem_of(arena + "server: {max_body_bytes: 16777217}").find("system.yaml:3:26: server.max_body_bytes:") == 0);
  CHECK(problem_of(std::string(kModel) + "memory: {input_arena: 1MiB}\n").find("memory.input_arena") !=
        std::string::npos);
}

TEST_CASE("Config: a certificate needs its key and a client CA needs both", "[common][unit]") {
  CHECK(problem_of(with_server("tls: {certificate: c}")).find("server.tls:") != std::string::npos);
  CHECK(problem_of(with_server("tls: {key: k}")).find("server.tls:") != std::string::npos);
  CHECK(problem_of(with_server("tls: {client_ca: k}")).find("client_ca") != std::string::npos);
  CHECK(config_of(with_server("tls: {certificate: \"\", key: \"\", client_ca: \"\"}")).server.tls == TlsConfig{});
}

TEST_CASE("Config: an address may be listened on once", "[common][unit]") {
  CHECK(problem_of(with_server("listen: [127.0.0.1:80, localhost:80]")).find("listen[1]") != std::string::npos);
  CHECK(problem_of(with_server("listen: [127.0.0.1:80], admin_listen: 127.0.0.1:80")).find("admin_listen") !=
        std::string::npos);
  CHECK(config_of(with_server("listen: [127.0.0.1:0, 127.0.0.1:0], admin_listen: 127.0.0.1:0")).server.listen.size() ==
        2);
}

TEST_CASE("Config: a config without a model is a problem", "[common][unit]") {
  CHECK(problem_of("") == "system.yaml:1:1: models: missing, a list of at least one model is needed");
  CHECK(problem_of("server: {}\n").find("models: missing") != std::string::npos);
  CHECK(problem_of("models: []\n").find("a list of 0, 1 to 64 models are allowed") != std::string::npos);
  CHECK(problem_of("models:\n").find("nothing, a list of models") != std::string::npos);
}

TEST_CASE("Config: default_model is the first model unless it names another", "[common][unit]") {
  const std::string two = "models: [{name: a, identity: {}}, {name: b, identity: {}}]\n";
  CHECK(config_of(two).default_model == "a");
  CHECK(config_of(two + "default_model: \"\"\n").default_model == "a");
  CHECK(config_of(two + "default_model: b\n").default_model == "b");
  CHECK(problem_of(two + "default_model: c\n") ==
        "system.yaml:2:16: default_model: \"c\" is no model of this config, allowed: \"a\", \"b\"");
}

TEST_CASE("Config: two models may not share a name", "[common][unit]") {
  CHECK(problem_of("models:\n- {name: a, identity: {}}\n- {name: a, identity: {}}\n")
            .find("system.yaml:3:10: models[1].name:") == 0);
}

TEST_CASE("Config: base_dir takes the place of the file's folder, wherever it stands", "[common][unit]") {
  const std::string rest = "logging: {file: x}\n" + std::string(kModel);
  CHECK(config_of(rest).logging.file == "/etc/yolod/x");
  CHECK(config_of(rest + "base_dir: /srv\n").logging.file == "/srv/x");
  CHECK(config_of(rest + "base_dir: ../data\n").logging.file == "/etc/data/x");
  CHECK(config_of(rest + "base_dir: .\n").logging.file == "/etc/yolod/x");
  CHECK(problem_of(rest + "base_dir: \"\"\n").find("base_dir") != std::string::npos);
}

TEST_CASE("Config: a relative folder is taken from the working directory", "[common][unit]") {
  const ConfigOutcome outcome = parse_config("logging: {file: x}\n" + std::string(kModel), "s", "");
  REQUIRE(outcome.config.has_value());
  CHECK(outcome.config->logging.file == std::filesystem::current_path() / "x");
}

TEST_CASE("Config: a syntax error is one problem with its place", "[common][unit]") {
  const std::string problem = problem_of("server:\n  listen: [127.0.0.1:80\nmodels: }\n");
  CHECK(problem.find("system.yaml:") == 0);
  CHECK(problem.find("system.yaml:1:1") == std::string::npos);
}

TEST_CASE("Config: an address that begins with * names 0.0.0.0, in quotes or not", "[common][unit]") {
  CHECK(problem_of(with_server("listen: *:80")).find("0.0.0.0") != std::string::npos);
  CHECK(problem_of(with_server("listen: \"*:80\"")).find("0.0.0.0:80") != std::string::npos);
}

TEST_CASE("Config: text with a line break in it is refused", "[common][unit]") {
  CHECK(problem_of(with_server("api_keys_file: \"a\\nb\"")).find("line break") != std::string::npos);
}

TEST_CASE("Config: the short form is one Darknet model named after its weights", "[common][unit]") {
  const Config config = config_of(R"(
postgres: {database: intersystem, user: postgres, password: root, host: localhost, port: 5432, minsize: 1, maxsize: 5}
workers:
  max_workers: 3
  model_path: {data: "model/data/traffic_light.names", weights: "model/data/best_model_12.pt", cfg: "model/data/yolov3-spp-6cls.cfg"}
  img_size: 512
)");
  ModelConfig model;
  model.name = "best_model_12";
  model.source = DarknetSource{"/etc/yolod/model/data/yolov3-spp-6cls.cfg", "/etc/yolod/model/data/best_model_12.pt",
                               "/etc/yolod/model/data/traffic_light.names"};
  model.workers = 3;
  model.input_size = InputSize{512, 512};
  REQUIRE(config.models.size() == 1);
  CHECK(config.models.front() == model);
  CHECK(config.default_model == "best_model_12");
}

TEST_CASE("Config: people may register in the short form with a database, unless the config forbids it",
          "[common][unit]") {
  const std::string workers = "workers: {model_path: {names: n, weights: w, cfg: c}}\n";
  const std::string models = "models: [{name: m, identity: {}}]\n";
  const std::string postgres = "postgres: {database: d}\n";
  CHECK(config_of(workers + postgres).access.register_policy == RegisterPolicy::kOpen);
  CHECK(config_of(workers).access.register_policy == RegisterPolicy::kClosed);
  CHECK(config_of(models + postgres).access.register_policy == RegisterPolicy::kClosed);
  CHECK(config_of(workers + postgres + "access: {register: closed}\n").access.register_policy ==
        RegisterPolicy::kClosed);
}

TEST_CASE("Config: the short form needs only its files", "[common][unit]") {
  const Config config =
      config_of("workers: {model_path: {names: n, weights: w, cfg: c}}\nserver: {listen: [127.0.0.1:1]}\n");
  CHECK(config.models.front().workers == 1);
  CHECK_FALSE(config.models.front().input_size.has_value());
  CHECK(config.warnings.empty());
  CHECK(config.server.listen == std::vector<ListenAddress>{{"127.0.0.1:1"}});
  CHECK(problem_of("workers:\n").find("workers.model_path: missing") != std::string::npos);
  CHECK(problem_of("workers: {model_path: {names: n, data: n, weights: w, cfg: c}}\n").find("given twice") !=
        std::string::npos);
}

TEST_CASE("Config: characters that a name may not have become dashes in the short form", "[common][unit]") {
  const auto name = [](const std::string& weights) {
    return config_of("workers: {model_path: {names: n, weights: '" + weights + "', cfg: c}}\n").models.front().name;
  };
  CHECK(name("dir/my model (1).weights") == "my-model--1-");
  CHECK(name(".hidden") == "hidden");
  CHECK(name("---.pt") == "model");
  CHECK(name(std::string(100, 'x') + ".pt") == std::string(64, 'x'));
}

TEST_CASE("Config: the postgres section says where the accounts of people are", "[common][unit]") {
  CHECK_FALSE(config_of(kModel).has_accounts());
  const Config config =
      config_of(std::string(kModel) +
                "postgres: {database: d, user: u, password: 123, host: /run/pg, port: 1, minsize: 0, maxsize: 7}\n");
  CHECK(config.has_accounts());
  PostgresConfig expected;
  expected.database = "d";
  expected.user = "u";
  expected.password = "123";
  expected.host = "/run/pg";
  expected.port = 1;
  expected.minsize = 0;
  expected.maxsize = 7;
  CHECK(config.postgres == expected);
  CHECK(config.warnings.empty());
  CHECK(config_of(std::string(kModel) + "postgres: {password_file: secret}\n").postgres->password_file ==
        "/etc/yolod/secret");
}

TEST_CASE("Config: mistakes in the postgres section are reported without the password", "[common][unit]") {
  const auto problem = [](const std::string& keys) {
    const std::string text = problem_of(std::string(kModel) + "postgres: {" + keys + "}\n");
    CHECK(text.find("hunter2") == std::string::npos);
    return text;
  };
  CHECK(problem("password: [hunter2]").find("postgres.password: a list") != std::string::npos);
  CHECK(problem("password: hunter2" + std::string(2000, 'x')).find("at most 1024 bytes") != std::string::npos);
  CHECK(problem("password: hunter2, password_file: f").find("only one of the two") != std::string::npos);
  CHECK(problem("password: hunter2, port: 0").find("postgres.port") != std::string::npos);
  CHECK(problem("minsize: 6, maxsize: 5").find("more than maxsize") != std::string::npos);
  CHECK(problem("databse: d").find("did you mean \"database\"") != std::string::npos);
  CHECK(problem("user: ''").find("1 to 1024") != std::string::npos);
}

TEST_CASE("Config: people may register only where there is a database for them", "[common][unit]") {
  CHECK(config_of(kModel).access.register_policy == RegisterPolicy::kClosed);
  CHECK(problem_of(std::string(kModel) + "access: {register: open}\n").find("server.state_dir or postgres") !=
        std::string::npos);
  const Config config =
      config_of(std::string(kModel) +
                "server: {state_dir: state}\n"
                "access: {register: invite, session_idle: 1m, session_lifetime: 60m, max_stale: 10s}\n");
  CHECK(config.has_accounts());
  CHECK(config.server.state_dir == "/etc/yolod/state");
  CHECK(config.access.register_policy == RegisterPolicy::kInvite);
  CHECK(config.access.session_idle == std::chrono::minutes(1));
  CHECK(config.access.session_lifetime == std::chrono::hours(1));
  CHECK(config.access.max_stale == std::chrono::seconds(10));
  CHECK(config_of(emit_config(config)) == config);
}

TEST_CASE("Config: the two forms do not mix", "[common][unit]") {
  const std::string problem =
      problem_of(std::string(kModel) + "workers: {model_path: {names: n, weights: w, cfg: c}}\n");
  CHECK(problem.find("system.yaml:2:10: workers:") == 0);
  CHECK(problem.find("short form") != std::string::npos);
}

TEST_CASE("Config: a file is read, and its paths are relative to its folder", "[common][unit]") {
  std::string folder_template = (std::filesystem::temp_directory_path() / "yolod-config-XXXXXX").string();
  REQUIRE(::mkdtemp(folder_template.data()) != nullptr);
  const std::filesystem::path folder = folder_template;
  std::ofstream(folder / "system.yaml") << kModel << "logging: {file: x.log}\n";
  const ConfigOutcome outcome = load_config(folder / "system.yaml", {"server.max_connections=9"});
  REQUIRE(outcome.config.has_value());
  CHECK(outcome.config->logging.file == folder / "x.log");
  CHECK(outcome.config->server.max_connections == 9);

  std::ofstream(folder / "large.yaml") << std::string(2U << 20U, '#');
  REQUIRE(load_config(folder / "large.yaml").problems.size() == 1);
  std::filesystem::remove_all(folder);
}

TEST_CASE("Config: a file that is absent or a folder is a problem", "[common][unit]") {
  const ConfigOutcome absent = load_config("/nonexistent/system.yaml");
  REQUIRE(absent.problems.size() == 1);
  CHECK(to_string(absent.problems[0]).find("/nonexistent/system.yaml: cannot be opened: ") == 0);
  const ConfigOutcome folder = load_config("/");
  REQUIRE(folder.problems.size() == 1);
  CHECK_FALSE(folder.config.has_value());
}

// No setting has its default, so that the test detects a setting that is not written or not read.
TEST_CASE("Config: a written config is read as the same config", "[common][unit]") {
  const Config config = config_of(R"(
server:
  listen:
    - 127.0.0.1:80
    - "[::1]:81"
    - {path: /run/y.sock, mode: 0640, group: www-data}
    - {path: /z.sock, mode: 07}
    - {address: "127.0.0.1:82", tls: {certificate: c2.pem, key: k2.pem, client_ca: ca2.pem}}
  admin_listen: unix:/run/a.sock
  max_body_bytes: 8MiB
  max_connections: 7
  header_timeout: 1s
  body_timeout: 2001ms
  write_timeout: 3s
  idle_timeout: 4s
  drain_delay: 5s
  shutdown_timeout: 6s
  tls: {certificate: c.pem, key: /k/../k.pem, client_ca: ca.pem}
  api_keys_file: keys
  insecure: true
access: {mode: keys, max_stale: 1m, per_key: {requests_per_second: 9}, per_address: {connections: 3}, audit_log: ../audit}
memory: {input_arena: 32MiB}
logging: {level: warning, format: json, file: ../log}
sandbox: report
base_dir: "models of \"us\""
models:
  - {name: a, identity: {delay: 5ms, faults: true}, limits: {max_pixels: 1234567}, image: {range: [-1, 1]}}
  - name: b
    darknet: {cfg: b.cfg, weights: b.weights, data: "#b: names"}
    input_size: [64, 128]
    device: [cuda:0, cpu]
    preprocess: {scale: 1/127.5, mean: [0.485, 0.456, 0.406]}
    detect: {classes: ["yes", "1", "~", "a, b"]}
  - {name: c, torchscript: {file: c.pt}, limits: {max_pixels: 20MP}}
default_model: b
)");
  const std::string text = emit_config(config);
  INFO(text);
  CHECK(config_of(text) == config);
}

TEST_CASE("Config: a config with all defaults and a config in the short form are written as they are read",
          "[common][unit]") {
  CHECK(config_of(emit_config(config_of(kModel))) == config_of(kModel));
  const Config config = config_of(
      "workers:\n  max_workers: 2\n  model_path: {data: a.names, weights: w.pt, cfg: a.cfg}\n  img_size: 512\n");
  CHECK(config_of(emit_config(config)) == config);
}

TEST_CASE("Config: the password of the postgres section is not written", "[common][unit]") {
  Config config = config_of(std::string(kModel) + "postgres: {user: anna, password: swordfish}\n");
  const std::string text = emit_config(config);
  CHECK(text.find("swordfish") == std::string::npos);
  CHECK(text.find("anna") != std::string::npos);
  config.postgres->password.clear();
  CHECK(config_of(text) == config);
}

}  // namespace
}  // namespace yolod::common
