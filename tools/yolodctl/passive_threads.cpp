#include "tools/yolodctl/passive_threads.hpp"

#include <unistd.h>

#include <cstdlib>

#include "tools/yolodctl/own_arguments.hpp"

namespace yolod::tools {

void wait_passively() {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  auto arguments = own_arguments();
  if (arguments.empty()) return;
  // The next image finds the variable set and goes on; were it not, it would execute itself for ever.
  if (::setenv("OMP_WAIT_POLICY", "passive", 1) != 0) return;
  ::execv("/proc/self/exe", arguments.pointers());
}

}  // namespace yolod::tools
