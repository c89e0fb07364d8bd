// These tests check the environment of a new worker.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/config/worker_threads.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

// Returns the variables of OpenMP and OpenBLAS that are in the environment of one of the server's workers.
std::vector<std::string> thread_variables(const std::string& model_key, const std::vector<std::string>& without) {
  ServerOptions options;
  options.config = identity_config({{.workers = 1, .keys = {model_key}}});
  options.without = without;
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  std::vector<std::string> variables;
  for (const auto& entry : environment_of(server.worker_pids().at(0))) {
    const auto name = entry.substr(0, entry.find('='));
    if (name == "OMP_WAIT_POLICY" || name == "GOMP_SPINCOUNT" || name == "OPENBLAS_NUM_THREADS") {
      variables.push_back(entry);
    }
  }
  return variables;
}

}  // namespace

TEST_CASE("Spawn: a worker gets the environment that libraries need, and none of the server's secrets", "[process]") {
  const std::string key = GENERATE("preload: true", "preload: false");
  CAPTURE(key);
  ServerOptions options;
  options.config = identity_config({{.workers = 1, .keys = {key}}});
  options.with = {"POSTGRES_PASSWORD=secret",
                  "AWS_SECRET_ACCESS_KEY=secret",
                  "YOLOD_KEY=secret",
                  "OMPX=secret",
                  "JPEGMEM=1M",
                  "LIBTIFF_X=1",
                  "OMP_PLACES=cores",
                  "TZ=UTC",
                  "OPENBLAS_NUM_THREADS=64",
                  "GDAL_DRIVER_PATH=/tmp"};
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  const auto environment = environment_of(server.worker_pids().at(0));
  const auto has = [&environment](const std::string& entry) {
    return std::find(environment.begin(), environment.end(), entry) != environment.end();
  };
  for (const auto& entry : environment) {
    CAPTURE(entry);
    CHECK(entry.find("secret") == std::string::npos);
    CHECK_FALSE(entry.starts_with("JPEGMEM"));
    CHECK_FALSE(entry.starts_with("LIBTIFF"));
  }
  CHECK(has("OMP_PLACES=cores"));
  CHECK(has("TZ=UTC"));
  CHECK(has("OPENBLAS_NUM_THREADS=1"));
  CHECK_FALSE(has("OPENBLAS_NUM_THREADS=64"));
  CHECK(has("GDAL_DRIVER_PATH=disable"));
  CHECK_FALSE(has("GDAL_DRIVER_PATH=/tmp"));
}

TEST_CASE("Spawn: a worker's threads sleep where workers share cores", "[process]") {
  CHECK(thread_variables("threads: 1024", {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}) ==
        std::vector<std::string>{"OPENBLAS_NUM_THREADS=1", std::string(common::kThreadsSleep)});
}

TEST_CASE("Spawn: the server's environment can set how threads wait", "[process]") {
  const auto variables = thread_variables("threads: 1", {"GOMP_SPINCOUNT"});
  CHECK_THAT(variables,
             Catch::UnorderedEquals(std::vector<std::string>{"OPENBLAS_NUM_THREADS=1", "OMP_WAIT_POLICY=passive"}));
}

}  // namespace yolod::tests
