#include "tools/yolodctl/own_arguments.hpp"

#include <fstream>
#include <iterator>

namespace yolod::tools {

Arguments::Arguments(const std::string& line) : bytes_(line.begin(), line.end()) {
  if (!line.empty() && line.back() == '\0') {
    for (std::size_t at = 0; at < line.size(); at = line.find('\0', at) + 1) pointers_.push_back(bytes_.data() + at);
  }
  pointers_.push_back(nullptr);
}

Arguments own_arguments() {
  std::ifstream stream("/proc/self/cmdline", std::ios::binary);
  return Arguments(std::string{std::istreambuf_iterator<char>(stream), {}});
}

}  // namespace yolod::tools
