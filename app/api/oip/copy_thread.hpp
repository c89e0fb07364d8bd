// A CopyThread is a thread that copies bytes from and to the shared memory of clients. A client can make such a copy
// wait: its memory may be swapped out, and a write waits while the client changes the size of its object. So the copies
// have a thread, and the event loop never waits for it.
//
// The process must be able to fork at any time. Therefore the thread makes system calls only: it allocates nothing and
// holds no lock that a forked child could inherit (common/system/thread_count). It starts with the first copy.
//
// Each copy has a buffer. A request that no longer wants to wait leaves its copy to the thread. At most
// kMostCopies exist at a time, so a client that blocks the thread blocks only other requests with shared memory.
//
// The front-end owns it and uses it on its only thread. It outlives all copies.
#pragma once

#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "app/api/oip/shared_region.hpp"
#include "common/clock.hpp"
#include "common/completion.hpp"
#include "common/error.hpp"
#include "common/lifeline.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::api::oip {

class CopyThread {
 public:
  static constexpr std::size_t kMostCopies = 64;

  struct Copy {
    SharedPart part;  // without a region: close `file`
    std::uint64_t at{0};
    std::vector<std::byte> bytes;  // the result, or the bytes to write
    bool is_write{false};
    bool may_grow{false};
    common::UniqueFd file{};

    // The thread sets these, before the copy is done.
    CopyResult result{CopyResult::kDone};
    std::uint64_t grown_bytes{0};

    common::Clock::time_point began{};
    bool is_done{false};
    bool is_given_up{false};        // it has taken longer than kPatience
    common::Completion<> resume{};  // is called when the copy is done or given up
  };

  explicit CopyThread(boost::asio::io_context& io);
  CopyThread(const CopyThread&) = delete;
  CopyThread& operator=(const CopyThread&) = delete;
  // Waits a moment for the end of the thread. If a client blocks the thread, it ends with the process.
  ~CopyThread();

  // Returns false if there are too many copies, or if the thread cannot be started.
  [[nodiscard]] bool start(std::shared_ptr<Copy> copy);
  // Calls `resume` of this copy soon, although it is not done.
  void leave(Copy& copy);
  // Returns a function that closes a file on the thread. It closes the file at once if the thread does not run, or if
  // this object no longer exists.
  [[nodiscard]] std::function<void(common::UniqueFd file)> closer();
  // Returns how many files closer() has not closed yet.
  [[nodiscard]] std::size_t closing_count() const { return closing_count_; }
  // Gives up copies that have taken too long. Call it about every 100 ms.
  void tick(common::Clock::time_point now);

 private:
  static constexpr std::chrono::seconds kPatience{2};

  [[nodiscard]] bool run_thread();
  [[nodiscard]] bool hand_over(std::shared_ptr<Copy> copy);
  void close(common::UniqueFd file);
  void await_results();
  void take_results();
  static void* work(void* pipes);

  // The ends of the pipes that the thread uses.
  struct Pipes {
    common::UniqueFd jobs;
    common::UniqueFd results;
  };
  boost::asio::io_context& io_;
  std::unique_ptr<Pipes> pipes_;
  common::UniqueFd jobs_;  // the writing end
  boost::asio::posix::stream_descriptor results_;
  pthread_t thread_{};
  bool is_running_{false};
  bool is_awaiting_{false};
  std::size_t closing_count_{0};
  std::unordered_map<Copy*, std::shared_ptr<Copy>> copies_;  // that the thread has
  common::Lifeline lifeline_;
};

// Makes one copy after another for a request, each in steps. A request owns it.
class PieceCopy {
 public:
  // Without a thread each copy is done at once, for tests. `thread` outlives this object.
  explicit PieceCopy(CopyThread* thread) : thread_(thread) {}
  PieceCopy(const PieceCopy&) = delete;
  PieceCopy& operator=(const PieceCopy&) = delete;
  ~PieceCopy();

  // Copy bytes from or to the part, from its byte `at` on. The result is true when the bytes are copied. If the
  // result is false, call wait(), and then call the function again with the same arguments. REQUIRES: the bytes lie
  // within the part. `grown_bytes` is how much memory the object has gained. An Error is one of explain(CopyResult),
  // kQueueFull if the copy takes too long or the thread has too many copies, or kClientGone after leave().
  [[nodiscard]] common::Outcome<bool> read(const SharedPart& part, std::uint64_t at, std::span<std::byte> to);
  [[nodiscard]] common::Outcome<bool> write(const SharedPart& part, std::uint64_t at, std::span<const std::byte> from,
                                            bool may_grow, std::uint64_t& grown_bytes);

  [[nodiscard]] bool is_waiting() const { return copy_ != nullptr && !copy_->is_done && !copy_->is_given_up; }
  // Calls `done` once, later. REQUIRES: is_waiting().
  void wait(common::Completion<> done);
  // Ends the wait soon, because the client is gone.
  void leave();

 private:
  // Starts the copy, or looks whether it is done.
  [[nodiscard]] common::Outcome<bool> step(const SharedPart& part, std::uint64_t at, std::span<const std::byte> from,
                                           std::size_t bytes, bool is_write, bool may_grow);

  CopyThread* const thread_;
  std::shared_ptr<CopyThread::Copy> copy_;
  bool has_left_{false};
};

}  // namespace yolod::app::api::oip
