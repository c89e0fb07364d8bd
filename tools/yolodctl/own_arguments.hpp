// The command line of this process, to execute it anew.
#pragma once

#include <string>
#include <vector>

namespace yolod::tools {

class Arguments {
 public:
  // What /proc/PID/cmdline holds.
  explicit Arguments(const std::string& line);
  [[nodiscard]] bool empty() const { return pointers_.size() < 2; }
  // As execv() takes them; valid as long as this lives.
  [[nodiscard]] char** pointers() { return pointers_.data(); }

 private:
  std::vector<char> bytes_;  // on the heap also when short: the pointers stay right when this is moved
  std::vector<char*> pointers_;
};

// Empty where /proc does not tell.
[[nodiscard]] Arguments own_arguments();

}  // namespace yolod::tools
