// Measures the cost of access in the front-end. It prints one line for each way in: the processor time of one check, in
// nanoseconds. Then it applies a snapshot of many keys, as yolod-accounts sends it, and prints the longest turn of the
// event loop in microseconds. tools/bench/access runs it.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "app/access/gate.hpp"
#include "app/accounts/protocol/digest.hpp"
#include "app/accounts/protocol/messages.hpp"

namespace {

using namespace yolod::app;
namespace protocol = accounts::protocol;

// The front-end handles this many messages of yolod-accounts in one turn (AccountsClient::kMessagesAtOnce).
constexpr std::size_t kMessagesAtOnce = 8;
constexpr std::size_t kFileKeys = 1000;
constexpr int kChecks = 400'000;
constexpr int kRounds = 5;

double thread_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

access::Network client(std::uint32_t number) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr.s6_addr[0] = 0x20;
  for (unsigned i = 0; i < 4; ++i) address.sin6_addr.s6_addr[4 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return access::Network::of(*yolod::common::IpAddress::of(reinterpret_cast<const sockaddr&>(address)));
}

std::string token(const char* kind, std::size_t number) {
  std::string text = "yld_" + std::string(kind) + std::to_string(number);
  text.resize(40, 'x');
  return text;
}

// Applies a snapshot and returns the longest turn in microseconds.
double apply_snapshot(access::Door& door, std::uint64_t version, std::size_t count) {
  double longest = 0;
  bool good = true;
  const auto turn = [&longest](const auto& work) {
    const double began = thread_ns();
    work();
    longest = std::max(longest, (thread_ns() - began) / 1000);
  };
  turn([&] { good &= door.apply(protocol::SnapshotBegin{version, count}); });
  for (std::size_t at = 0; at < count;) {
    std::vector<protocol::SnapshotEntries> messages(kMessagesAtOnce);
    for (auto& message : messages) {
      for (; at < count && message.entries.size() < protocol::kMaxEntries; ++at) {
        protocol::AccessEntry entry;
        entry.digest = protocol::digest_of(token("key", at));
        entry.kind = protocol::EntryKind::kKey;
        entry.key = static_cast<protocol::KeyId>(at + 1);
        entry.name = "the key of a camera, number " + std::to_string(at);
        entry.scopes = protocol::kScopeModels | protocol::kScopePredict;
        message.entries.push_back(std::move(entry));
      }
    }
    turn([&] {
      for (const auto& message : messages) good &= message.entries.empty() || door.apply(message);
    });
  }
  turn([&] { good &= door.apply(protocol::SnapshotEnd{version, count}); });
  // The front-end does this every 100 ms.
  for (std::size_t i = 0; i < count / 1000 + 1; ++i) turn([&] { door.tidy(); });
  if (!good) std::abort();
  return longest;
}

struct Way {
  const char* name;
  yolod::common::AccessConfig config;
  std::vector<std::string> tokens;  // requests use them in turn; empty: no key
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t key_count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100'000;
  yolod::common::AccessConfig open;
  yolod::common::AccessConfig keys;
  keys.mode = yolod::common::AccessMode::kKeys;
  yolod::common::AccessConfig limited = keys;
  limited.per_key = {1'000'000, 1'000'000};
  limited.per_address = {1'000'000, 1'000'000, 1'000'000};
  // Few keys in use stay in the processor's caches, and many do not.
  constexpr std::size_t kFewKeys = 100;
  constexpr std::size_t kManyKeys = 10'000;
  std::vector<std::string> of_file;
  std::vector<std::string> few;
  std::vector<std::string> many;
  for (std::size_t i = 0; i < kFewKeys; ++i) of_file.push_back(token("file", i));
  for (std::size_t i = 0; i < kManyKeys; ++i) many.push_back(token("key", i * 7919 % key_count));
  few.assign(many.begin(), many.begin() + kFewKeys);
  const std::array ways{Way{"open", open, {}},
                        Way{"file_key", keys, of_file},
                        Way{"accounts_key", keys, few},
                        Way{"accounts_key_of_many", keys, many},
                        Way{"file_key_limited", limited, of_file},
                        Way{"accounts_key_limited", limited, few}};
  double longest = 0;
  for (const Way& way : ways) {
    access::Gate gate(way.config);
    std::vector<access::FileKey> file_keys(kFileKeys);
    for (std::size_t i = 0; i < kFileKeys; ++i) {
      file_keys[i].name = "file" + std::to_string(i);
      file_keys[i].digest = protocol::digest_of(token("file", i));
    }
    gate.door().use_file_keys(std::move(file_keys));
    longest = std::max(longest, apply_snapshot(gate.door(), 1, key_count));
    longest = std::max(longest, apply_snapshot(gate.door(), 2, key_count));
    const access::Limits::Presence presence(gate.limits(), client(7));
    double best = 1e9;
    for (int round = 0; round < kRounds; ++round) {
      const double began = thread_ns();
      for (int i = 0; i < kChecks; ++i) {
        access::Credential credential;
        if (!way.tokens.empty()) {
          credential = {access::Credential::Kind::kKey, way.tokens[static_cast<std::size_t>(i) % way.tokens.size()]};
        }
        access::Caller caller;
        access::Limits::Ticket ticket;
        // The time goes on by 2 us for each request, so that no limit is reached.
        const yolod::common::Clock::time_point now{std::chrono::hours(1) + std::chrono::microseconds(2 * i) +
                                                   std::chrono::hours(round)};
        if (gate.admit({credential, client(7), access::Need::kPredict, now, 1'800'000'000}, presence, "id", caller,
                       ticket)) {
          std::fprintf(stderr, "%s: a request was refused\n", way.name);
          return 1;
        }
      }
      best = std::min(best, (thread_ns() - began) / kChecks);
    }
    std::printf("%s %.0f\n", way.name, best);
  }
  std::printf("longest_turn_us %.0f\n", longest);
  return 0;
}
