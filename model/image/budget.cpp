#include "model/image/budget.hpp"

#include <ctime>

namespace yolod::model::image::codec {
namespace {

std::chrono::nanoseconds thread_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

Budget::Budget(std::chrono::nanoseconds max_time) : max_time_(max_time), started_(thread_time()) {}

bool Budget::look() {
  calls_ = 0;
  bytes_ = 0;
  spent_ = spent_ || thread_time() - started_ > max_time_;
  return spent_;
}

}  // namespace yolod::model::image::codec
