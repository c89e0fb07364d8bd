// What a worker is started with.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/worker_threads.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

// What the environment of one of the server's workers says of OpenMP's threads and OpenBLAS's.
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

TEST_CASE("Spawn: a worker's threads sleep where they share cores", "[process]") {
  CHECK(thread_variables("threads: 1024", {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}) ==
        std::vector<std::string>{"OPENBLAS_NUM_THREADS=1", std::string(common::kThreadsSleep)});
}

TEST_CASE("Spawn: whoever starts the server may say how threads wait", "[process]") {
  const auto variables = thread_variables("threads: 1", {"GOMP_SPINCOUNT"});
  CHECK_THAT(variables,
             Catch::UnorderedEquals(std::vector<std::string>{"OPENBLAS_NUM_THREADS=1", "OMP_WAIT_POLICY=passive"}));
}

}  // namespace yolod::tests
