#include "tools/progress/progress_bar.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

namespace yolod::tools {

void ProgressBar::draw(double part, std::string_view what) {
  if (!line_.due()) return;
  constexpr int kCells = 30;
  part = std::clamp(part, 0.0, 1.0);
  const std::string full(static_cast<std::size_t>(part * kCells), '#');
  std::array<char, 64> bar{};
  std::snprintf(bar.data(), bar.size(), "[%-*s] %3.0f %%  ", kCells, full.c_str(), part * 100);
  line_.show(std::string(bar.data()).append(what));
}

}  // namespace yolod::tools
