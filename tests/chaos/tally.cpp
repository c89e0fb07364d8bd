#include "tests/chaos/tally.hpp"

#include "tests/support/bodies.hpp"

namespace yolod::chaos {
namespace {

constexpr std::size_t kIncidentsKept = 20;
constexpr int kOk = 200;
constexpr int kQuarantined = 422;
constexpr int kWorkerCrashed = 500;

bool may_end_so(Expected expected, int status) {
  switch (expected) {
    case Expected::kRight: return status == kOk;
    case Expected::kPoison: return status == kWorkerCrashed;
    case Expected::kPoisonAgain: return status == kQuarantined;
    case Expected::kPoisonAnew: return status == kQuarantined || status == kWorkerCrashed;
  }
  return false;
}

}  // namespace

void Tally::abandon() {
  const std::lock_guard lock(mutex_);
  ++counts_.requests;
  ++counts_.abandoned;
}

void Tally::resend(const tests::Answer& answer, const std::string& body) {
  const std::lock_guard lock(mutex_);
  ++counts_.resent;
  ++counts_.lost;
  note(answer, body, ", sent again");
}

void Tally::count(Expected expected, const tests::Answer& answer, const std::string& body) {
  const bool is_poison = expected != Expected::kRight;
  const bool right = !is_poison && tests::is_identity_answer(answer, body);
  const std::lock_guard lock(mutex_);
  ++counts_.requests;
  if (is_poison) ++counts_.poison;
  if (answer.answered()) ++counts_.by_status[answer.status];
  if (right) {
    ++counts_.right;
    return;
  }
  if (!answer.answered()) {
    ++(answer.failure == tests::Failure::kDeadline ? counts_.hung : counts_.lost);
  } else if (!may_end_so(expected, answer.status)) {
    ++counts_.unexpected;
  } else if (answer.status == kOk) {
    ++counts_.wrong;
  } else {
    return;
  }
  note(answer, body, is_poison ? ", poison" : "");
}

void Tally::did(Action action, pid_t harmed) {
  const std::lock_guard lock(mutex_);
  ++counts_.actions[action];
  if (harmed != 0) counts_.harmed.insert(harmed);
}

void Tally::note(const tests::Answer& answer, const std::string& body, const char* what) {
  if (counts_.incidents.size() == kIncidentsKept) return;
  counts_.incidents.push_back(tests::describe(answer) + ", body of " + std::to_string(body.size()) + " bytes" + what);
}

Counts Tally::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace yolod::chaos
