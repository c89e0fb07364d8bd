#include "tests/support/load.hpp"

#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"

namespace yolod::tests {
namespace {

constexpr std::size_t kIncidentsKept = 500;

}  // namespace

std::string describe(const Incident& incident) {
  return describe(incident.answer) + ", body of " + std::to_string(incident.body_bytes) + " bytes";
}

std::vector<std::string> LoadCounts::incidents_before(Clock::time_point moment) const {
  std::vector<std::string> found;
  for (const auto& incident : incidents) {
    if (incident.answer.failure == Failure::kRefused || incident.answer.connected_at >= moment) continue;
    // The client sent this request after the stop had begun, on a connection that the server still held.
    const bool not_taken = incident.answer.status == 503 || incident.answer.counts_as_not_sent();
    if (not_taken && incident.answer.sent_at >= moment) continue;
    found.push_back(describe(incident));
  }
  return found;
}

Load::Load(Endpoint endpoint, LoadOptions options) : endpoint_(std::move(endpoint)), options_(std::move(options)) {
  for (std::size_t i = 0; i < options_.connection_count; ++i) threads_.emplace_back([this, i] { run(i); });
}

Load::~Load() {
  stopping_ = true;
  join();
}

LoadCounts Load::stop() {
  stopping_ = true;
  return wait_until_refused();
}

LoadCounts Load::wait_until_refused() {
  join();
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Load::join() {
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

bool Load::wait_for_answers(std::uint64_t count) {
  const auto target = answered_.load() + count;
  return wait_until([&] { return answered_.load() >= target; });
}

void Load::run(std::size_t index) {
  HttpClient client(endpoint_, options_.answer_deadline);
  constexpr std::uint64_t kSeedsPerThread = 1'000'000'000;
  std::uint64_t seed = index * kSeedsPerThread;
  const std::size_t spread = options_.body_bytes_max - options_.body_bytes_min + 1;
  while (!stopping_) {
    std::string body = options_.body;
    if (body.empty()) {
      ++seed;
      constexpr std::size_t kStep = 7919;  // a prime, so that sizes do not repeat in step with the seeds
      body = random_body(options_.body_bytes_min + (seed * kStep) % spread, seed);
    }
    auto answer = client.post(options_.target, body);
    if (answer.counts_as_not_sent()) {
      count_resent(answer, body);
      answer = client.post(options_.target, body);
    }
    count(answer, body);
    if (!options_.keep_alive) client.close();
    if (answer.failure == Failure::kRefused) return;
  }
}

void Load::count_resent(const Answer& answer, const std::string& body) {
  const auto told_to_stop = last_told_to_stop();
  if (told_to_stop != Clock::time_point{} && answer.sent_at >= told_to_stop) return;
  const std::lock_guard lock(mutex_);
  ++counts_.resent;
  if (counts_.incidents.size() < kIncidentsKept) counts_.incidents.push_back({answer, body.size()});
}

void Load::count(const Answer& answer, const std::string& body) {
  bool right = false;
  if (answer.status == 200)
    right = options_.is_right ? options_.is_right(answer, body) : is_identity_answer(answer, body);
  const std::lock_guard lock(mutex_);
  if (answer.answered()) {
    ++counts_.answered;
    ++counts_.by_status[answer.status];
    if (right) ++counts_.right;
    if (answer.status == 200 && !right) ++counts_.wrong;
    ++answered_;
  } else if (answer.failure == Failure::kDeadline) {
    ++counts_.hung;
  } else if (answer.failure != Failure::kRefused) {
    ++counts_.lost;
  }
  if (!right && counts_.incidents.size() < kIncidentsKept) counts_.incidents.push_back({answer, body.size()});
}

}  // namespace yolod::tests
