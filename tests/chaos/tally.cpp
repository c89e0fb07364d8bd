#include "tests/chaos/tally.hpp"

#include "tests/support/bodies.hpp"

namespace yolod::chaos {
namespace {

constexpr std::size_t kIncidentsKept = 20;

bool may_end_so(Expected expected, int status) {
  if (expected == Expected::kRight) return status == 200;
  return status == 500 || status == 422 || status == 504;
}

}  // namespace

void Tally::abandon() {
  const std::lock_guard lock(mutex_);
  ++counts_.requests;
  ++counts_.abandoned;
}

void Tally::count(Expected expected, const tests::Answer& answer, const std::string& body) {
  const bool right = expected != Expected::kRight || answer.status != 200 || tests::is_identity_answer(answer, body);
  const std::lock_guard lock(mutex_);
  ++counts_.requests;
  if (expected == Expected::kPoison) ++counts_.poison;
  bool fine = true;
  if (!answer.answered()) {
    fine = false;
    ++(answer.failure == tests::Failure::kDeadline ? counts_.hung : counts_.lost);
  } else {
    ++counts_.by_status[answer.status];
    if (!right) {
      fine = false;
      ++counts_.wrong;
    } else if (!may_end_so(expected, answer.status)) {
      fine = false;
      ++counts_.unexpected;
    }
  }
  if (!fine && counts_.incidents.size() < kIncidentsKept) {
    counts_.incidents.push_back(tests::describe(answer) + ", body of " + std::to_string(body.size()) + " bytes" +
                                (expected == Expected::kPoison ? ", poison" : ""));
  }
}

void Tally::kill(bool loader) {
  const std::lock_guard lock(mutex_);
  ++(loader ? counts_.loader_kills : counts_.kills);
}

void Tally::reload(bool bad) {
  const std::lock_guard lock(mutex_);
  ++(bad ? counts_.bad_reloads : counts_.reloads);
}

Counts Tally::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace yolod::chaos
