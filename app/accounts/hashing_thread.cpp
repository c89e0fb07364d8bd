#include "app/accounts/hashing_thread.hpp"

#include "app/accounts/password_hash.hpp"

namespace yolod::app::accounts {

HashingThread::HashingThread(Mailbox& mailbox, std::size_t most_waiting)
    : queue_(mailbox, most_waiting), thread_([this] { work(); }) {}

HashingThread::~HashingThread() {
  queue_.close();
  thread_.join();
}

void HashingThread::work() {
  verify_dummy("");  // makes the hash that it compares with, so that the first such log-in takes no longer
  Nothing nothing;
  while (auto* const work = queue_.take()) {
    work->perform(nothing);
    work->finish(WorkEnd::kDone);
  }
}

}  // namespace yolod::app::accounts
