#include "tools/yolodctl/passive_threads.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace yolod::tools {

void wait_passively() {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  std::ifstream stream("/proc/self/cmdline", std::ios::binary);
  std::string line{std::istreambuf_iterator<char>(stream), {}};
  if (line.empty() || line.back() != '\0') return;
  std::vector<char*> arguments;
  for (std::size_t at = 0; at < line.size(); at = line.find('\0', at) + 1) arguments.push_back(line.data() + at);
  arguments.push_back(nullptr);
  // The next image finds the variable set and goes on; were it not, it would execute itself for ever.
  if (::setenv("OMP_WAIT_POLICY", "passive", 1) != 0) return;
  ::execv("/proc/self/exe", arguments.data());
}

}  // namespace yolod::tools
