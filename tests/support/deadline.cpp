#include "tests/support/deadline.hpp"

#include <cstdlib>

#include "common/sanitizers.hpp"

namespace yolod::tests {
namespace {

double find_slowness() {
  if (const char* text = std::getenv("YOLOD_TEST_SLOWNESS"); text != nullptr) {
    const double value = std::atof(text);
    if (value > 0) return value;
  }
  return common::kSanitized ? 4 : 1;
}

}  // namespace

double slowness() {
  static const double value = find_slowness();
  return value;
}

milliseconds scaled(milliseconds duration) {
  return milliseconds{static_cast<milliseconds::rep>(static_cast<double>(duration.count()) * slowness())};
}

}  // namespace yolod::tests
