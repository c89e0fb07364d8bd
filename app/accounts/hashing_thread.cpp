#include "app/accounts/hashing_thread.hpp"

#include "app/accounts/password_hash.hpp"

namespace yolod::app::accounts {

HashingThread::HashingThread(Mailbox& mailbox) : queue_(mailbox, kPlaces), thread_([this] { work(); }) {}

HashingThread::~HashingThread() {
  queue_.close();
  thread_.join();
}

std::optional<HashingThread::Place> HashingThread::take_place(WorkRank rank) {
  std::size_t& taken = taken_[static_cast<std::size_t>(rank)];
  if (taken >= kPlaces) return std::nullopt;
  return Place(taken, rank);
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
