#include "common/brief_spin.hpp"

#include <sched.h>

#include <algorithm>

namespace yolod::common {

void BriefSpin::begin(Clock::time_point now) {
  began_ = now;
  spun_ = in_vain_ = false;
}

void BriefSpin::end(Clock::time_point now) {
  last_was_short_ = now - began_ <= kStillShort;
  if (in_vain_) {
    to_leave_out_ = next_left_out_;
    next_left_out_ = std::min(2 * next_left_out_, kMostLeftOut);
  } else if (spun_) {
    next_left_out_ = 1;
  } else if (to_leave_out_ != 0) {
    --to_leave_out_;
  }
}

bool BriefSpin::goes_on(Clock::time_point now) {
  if (!allowed_ || in_vain_ || !last_was_short_ || to_leave_out_ != 0 || now < rests_until_) return false;
  spun_ = now - began_ < kLongest;
  in_vain_ = !spun_;
  return spun_;
}

bool BriefSpin::look_again() {
  const auto now = Clock::now();
  if (!goes_on(now)) return false;
  sched_yield();
  const auto after = Clock::now();
  offered(after, after - now);
  return true;
}

}  // namespace yolod::common
