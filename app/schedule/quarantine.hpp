// What is known of bodies that workers died of, so that few die of each. One for each model.
//
//   unknown --a death, alone or in company--> suspect --a death, alone--> quarantined
//      ^-------------- answered ----------------/                            /
//      ^------------------------- after kTerm ------------------------------/      and a reload forgets all
//
// A suspect runs alone, one copy of it at a time; what is quarantined is refused before it reaches a worker. Only a
// death alone quarantines: so nobody can have another's picture refused by sending what kills workers beside it. Bodies
// are told apart by their SHA-256: with a weaker hash, a client could have another's pictures refused. Only those as
// long as one that is known need be hashed.
//
// Front-end only, its one thread. Bounded: of more than kMost bodies the oldest is forgotten.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

#include "common/clock.hpp"

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace yolod::app::schedule {

using BodyHash = std::array<std::uint8_t, 32>;

// Makes a hash piece by piece. Throws std::runtime_error where OpenSSL refuses: a broken installation.
class BodyHasher {
 public:
  BodyHasher();
  BodyHasher(const BodyHasher&) = delete;
  BodyHasher& operator=(const BodyHasher&) = delete;
  ~BodyHasher();

  void add(std::span<const std::byte> bytes);
  // Of everything that was added. Called once.
  [[nodiscard]] BodyHash finish();

 private:
  evp_md_ctx_st* context_;
};
// The first bytes of it, as sha256sum prints them: for the log.
[[nodiscard]] std::string short_text(const BodyHash& hash);

enum class Standing { kUnknown, kSuspect, kQuarantined };

class Quarantine {
 public:
  static constexpr std::size_t kMost = 1024;
  static constexpr std::chrono::minutes kTerm{10};

  // Whether something is known of a body of that length: any other is unknown, unhashed.
  [[nodiscard]] bool knows_length(std::uint64_t bytes) const;
  [[nodiscard]] std::size_t size() const { return known_.size(); }
  [[nodiscard]] Standing standing(const BodyHash& hash, common::Clock::time_point now) const;

  // A worker died of its own doing while it had this body, of so many bytes, and nothing else. What that makes of it:
  // suspect or quarantined.
  Standing strike(const BodyHash& hash, std::uint64_t bytes, common::Clock::time_point now);
  // The same while it had others as well, of which one may have been the reason: never worse than suspect.
  Standing suspect(const BodyHash& hash, std::uint64_t bytes, common::Clock::time_point now);
  // A worker answered it.
  void acquit(const BodyHash& hash);
  // Forgets those whose term is over.
  void release(common::Clock::time_point now);
  void clear();

 private:
  struct Record {
    Standing standing{Standing::kSuspect};
    std::uint64_t bytes{0};
    common::Clock::time_point since;  // the last death

    [[nodiscard]] bool is_over(common::Clock::time_point now) const { return now - since >= kTerm; }
  };
  struct FirstBytes {
    std::size_t operator()(const BodyHash& hash) const;
  };
  using Known = std::unordered_map<BodyHash, Record, FirstBytes>;
  Known::iterator forget(Known::iterator entry);

  Known known_;
  std::unordered_map<std::uint64_t, std::size_t> lengths_;  // how many of each are known
};

}  // namespace yolod::app::schedule
