#include "app/accounts/hashing_thread.hpp"

#include <algorithm>
#include <numeric>

#include "app/accounts/password_hash.hpp"

namespace yolod::app::accounts {

// The queue has room for every place.
HashingThread::HashingThread(Mailbox& mailbox)
    : queue_(mailbox, std::accumulate(kPlaces.begin(), kPlaces.end(), std::size_t{0})), thread_([this] { work(); }) {}

HashingThread::~HashingThread() {
  queue_.close();
  thread_.join();
}

std::optional<HashingThread::Place> HashingThread::take_place(Client client, std::uint64_t who) {
  if (client == Client::kKnown) {
    const auto has = static_cast<std::size_t>(std::count(known_.begin(), known_.end(), who));
    if (has >= kPlacesOfOne) client = Client::kUnknown;
  }
  if (taken(client) >= kPlaces[static_cast<std::size_t>(client)]) return std::nullopt;
  ++taken(client);
  if (client == Client::kKnown) known_.push_back(who);
  return Place(*this, client, who);
}

void HashingThread::give_back(Client client, std::uint64_t who) {
  --taken(client);
  if (client == Client::kKnown) known_.erase(std::find(known_.begin(), known_.end(), who));
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
