#include "app/api/oip/copy_thread.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "common/awake_clock.hpp"
#include "common/log.hpp"
#include "common/system/thread_count.hpp"

namespace yolod::app::api::oip {

using common::Error;
using common::ErrorCode;
using common::Outcome;

CopyThread::CopyThread(boost::asio::io_context& io) : io_(io), results_(io) {}

CopyThread::~CopyThread() {
  if (!std::exchange(is_running_, false)) return;
  constexpr std::time_t kSeconds = 1;
  jobs_.reset();  // the thread ends after the copies that it has
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kSeconds;
  if (pthread_timedjoin_np(thread_, nullptr, &until) == 0) {
    common::forget_fork_safe_thread();
    copies_.clear();
    return;
  }
  pthread_detach(thread_);
  // The thread still uses the pipes and the memory of its copies.
  (void)pipes_.release();  // NOLINT: until the process ends
  for (auto& [copy, owned] : copies_) (void)new std::shared_ptr<Copy>(std::move(owned));
}

bool CopyThread::run_thread() {
  if (is_running_) return true;
  std::array<int, 2> jobs{};
  std::array<int, 2> results{};
  if (::pipe2(jobs.data(), O_CLOEXEC) != 0) return false;
  pipes_ = std::make_unique<Pipes>();
  pipes_->jobs.reset(jobs[0]);
  jobs_.reset(jobs[1]);
  if (::pipe2(results.data(), O_CLOEXEC) != 0) return false;
  pipes_->results.reset(results[1]);
  boost::system::error_code failure;
  results_.assign(results[0], failure);
  if (failure) {
    ::close(results[0]);
    return false;
  }
  results_.native_non_blocking(true, failure);
  // The thread takes no signal of the process.
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  is_running_ = pthread_create(&thread_, nullptr, &CopyThread::work, pipes_.get()) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!is_running_) {
    common::log_error("cannot start the thread that copies shared memory of clients");
    results_.close(failure);
    return false;
  }
  common::expect_fork_safe_thread();
  return true;
}

void* CopyThread::work(void* pipes) {
  const auto* const ends = static_cast<Pipes*>(pipes);
  for (;;) {
    Copy* copy = nullptr;
    const auto got = ::read(ends->jobs.get(), &copy, sizeof copy);
    if (got < 0 && errno == EINTR) continue;
    if (got != static_cast<ssize_t>(sizeof copy)) break;  // the owner has closed its end
    if (!copy->part.region) {
      copy->file.reset();
    } else if (copy->is_write) {
      copy->result = copy_to(copy->part, copy->at, copy->bytes, copy->may_grow, copy->grown_bytes);
    } else {
      copy->result = copy_from(copy->part, copy->at, copy->bytes);
    }
    // The pipe has room for far more results than there are copies.
    while (::write(ends->results.get(), &copy, sizeof copy) < 0 && errno == EINTR) {
    }
  }
  return nullptr;
}

bool CopyThread::hand_over(std::shared_ptr<Copy> copy) {
  Copy* const address = copy.get();
  copies_.emplace(address, std::move(copy));
  if (::write(jobs_.get(), &address, sizeof address) != static_cast<ssize_t>(sizeof address)) {
    copies_.erase(address);
    return false;
  }
  await_results();
  return true;
}

bool CopyThread::start(std::shared_ptr<Copy> copy) {
  if (copies_.size() - closing_count_ >= kMostCopies || !run_thread()) return false;
  copy->began = common::AwakeClock::now();
  return hand_over(std::move(copy));
}

void CopyThread::leave(Copy& copy) {
  if (!copy.resume) return;
  boost::asio::post(io_, [resume = std::move(copy.resume)]() mutable { resume(); });
}

std::function<void(common::UniqueFd file)> CopyThread::closer() {
  return lifeline_.guard([this](common::UniqueFd file) { close(std::move(file)); });
}

void CopyThread::tick(common::Clock::time_point now) {
  std::vector<std::shared_ptr<Copy>> late;
  for (const auto& [address, copy] : copies_) {
    if (copy->resume && now - copy->began > kPatience) late.push_back(copy);
  }
  for (const auto& copy : late) {
    copy->is_given_up = true;
    if (copy->resume) copy->resume();
  }
}

// At most as many files are closed at the same time as there may be regions, so the pipe has room.
void CopyThread::close(common::UniqueFd file) {
  if (!run_thread()) return;  // the file ends here
  auto copy = std::make_shared<Copy>();
  copy->file = std::move(file);
  if (hand_over(std::move(copy))) ++closing_count_;
}

// The event loop waits for results only while there are copies, so that it may end.
void CopyThread::await_results() {
  if (std::exchange(is_awaiting_, true)) return;
  results_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      lifeline_.guard([this](boost::system::error_code failure) {
                        is_awaiting_ = false;
                        if (failure == boost::asio::error::operation_aborted) return;
                        take_results();
                      }));
}

void CopyThread::take_results() {
  std::array<Copy*, kMostCopies> done{};
  const auto got = ::read(results_.native_handle(), done.data(), sizeof done);
  const std::size_t count = got > 0 ? static_cast<std::size_t>(got) / sizeof(Copy*) : 0;
  std::vector<std::shared_ptr<Copy>> ended;
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = copies_.find(done[i]);
    if (found == copies_.end()) continue;
    if (!found->second->part.region) --closing_count_;
    ended.push_back(std::move(found->second));
    copies_.erase(found);
  }
  if (!copies_.empty()) await_results();
  for (const auto& copy : ended) {
    copy->is_done = true;
    if (copy->resume) copy->resume();
  }
}

// ---- one request ----

PieceCopy::~PieceCopy() {
  if (copy_) copy_->resume = {};
}

void PieceCopy::wait(common::Completion<> done) { copy_->resume = std::move(done); }

void PieceCopy::leave() {
  if (!is_waiting()) return;
  has_left_ = true;
  thread_->leave(*copy_);
}

Outcome<bool> PieceCopy::step(const SharedPart& part, std::uint64_t at, std::span<const std::byte> from,
                              std::size_t bytes, bool is_write, bool may_grow) {
  if (has_left_) return Error{ErrorCode::kClientGone, "the client is gone"};
  const Error busy{ErrorCode::kQueueFull,
                   "the server is too busy: the shared memory of clients cannot be copied in time"};
  if (copy_) {
    if (copy_->is_given_up) return busy;
    return copy_->is_done;
  }
  copy_ = std::make_shared<CopyThread::Copy>();
  copy_->part = part;
  copy_->at = at;
  copy_->bytes.assign(from.begin(), from.end());
  copy_->bytes.resize(bytes);
  copy_->is_write = is_write;
  copy_->may_grow = may_grow;
  if (thread_ != nullptr) {
    if (thread_->start(copy_)) return false;
    copy_.reset();
    return busy;
  }
  copy_->result =
      is_write ? copy_to(part, at, copy_->bytes, may_grow, copy_->grown_bytes) : copy_from(part, at, copy_->bytes);
  copy_->is_done = true;
  return true;
}

Outcome<bool> PieceCopy::read(const SharedPart& part, std::uint64_t at, std::span<std::byte> to) {
  if (to.empty()) return true;
  const auto done = step(part, at, {}, to.size(), false, false);
  if (!done || !*done) return done;
  const auto copy = std::exchange(copy_, nullptr);
  if (copy->result != CopyResult::kDone) return explain(copy->result, *part.region);
  std::copy(copy->bytes.begin(), copy->bytes.end(), to.begin());
  return true;
}

Outcome<bool> PieceCopy::write(const SharedPart& part, std::uint64_t at, std::span<const std::byte> from, bool may_grow,
                               std::uint64_t& grown_bytes) {
  grown_bytes = 0;
  if (from.empty()) return true;
  const auto done = step(part, at, from, from.size(), true, may_grow);
  if (!done || !*done) return done;
  const auto copy = std::exchange(copy_, nullptr);
  grown_bytes = copy->grown_bytes;
  if (copy->result != CopyResult::kDone) return explain(copy->result, *part.region);
  return true;
}

}  // namespace yolod::app::api::oip
