// Remembers bodies that workers died of, so that few workers die of the same body. Each model has one quarantine.
//
//   unknown --a death, alone or in a batch--> suspect --a death, alone--> quarantined
//      ^-------------- answered ----------------/                            /
//      ^------------------------- after kTerm ------------------------------/      a reload forgets all
//
// A suspect runs alone, and only one copy of it at a time. A quarantined body is refused before it reaches a worker.
// Only the death of a worker that held no other request leads to quarantine. So a client cannot cause the refusal of
// another client's picture by sending a body that kills workers in the same batch.
//
// Bodies are identified by their SHA-256, because with a weaker hash a client could cause the refusal of other
// pictures. Only bodies with the length of a known body are hashed.
//
// The object is used on the front-end's only thread. Its size is bounded: beyond kMost bodies, the oldest is
// forgotten.
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

// Computes a hash piece by piece. Throws std::runtime_error if OpenSSL fails, which means a broken installation.
class BodyHasher {
 public:
  BodyHasher();
  BodyHasher(const BodyHasher&) = delete;
  BodyHasher& operator=(const BodyHasher&) = delete;
  ~BodyHasher();

  void add(std::span<const std::byte> bytes);
  // Returns the hash of all added bytes. Call it once.
  [[nodiscard]] BodyHash finish();

 private:
  evp_md_ctx_st* context_;
};
// Returns the first bytes as sha256sum prints them, for the log.
[[nodiscard]] std::string short_text(const BodyHash& hash);

enum class Standing { kUnknown, kSuspect, kQuarantined };

class Quarantine {
 public:
  static constexpr std::size_t kMost = 1024;
  static constexpr std::chrono::minutes kTerm{10};

  // Returns whether a known body has this length. A body of another length is unknown and need not be hashed.
  [[nodiscard]] bool knows_length(std::uint64_t bytes) const;
  [[nodiscard]] std::size_t size() const { return known_.size(); }
  [[nodiscard]] Standing standing(const BodyHash& hash, common::Clock::time_point now) const;

  // A worker caused its own death while it held this body of `bytes` bytes and no other. Returns the new standing,
  // which is kSuspect or kQuarantined.
  Standing strike(const BodyHash& hash, std::uint64_t bytes, common::Clock::time_point now);
  // A worker caused its own death while it held this body and others. Returns the new standing, which this never
  // makes worse than kSuspect.
  Standing suspect(const BodyHash& hash, std::uint64_t bytes, common::Clock::time_point now);
  // A worker has answered a request with this body.
  void acquit(const BodyHash& hash);
  // Forgets the bodies whose term is over.
  void release(common::Clock::time_point now);
  void clear();

 private:
  struct Record {
    Standing standing{Standing::kSuspect};
    std::uint64_t bytes{0};
    common::Clock::time_point since;  // the time of the last death

    [[nodiscard]] bool is_over(common::Clock::time_point now) const { return now - since >= kTerm; }
  };
  struct FirstBytes {
    std::size_t operator()(const BodyHash& hash) const;
  };
  using Known = std::unordered_map<BodyHash, Record, FirstBytes>;
  Known::iterator forget(Known::iterator entry);

  Known known_;
  std::unordered_map<std::uint64_t, std::size_t> lengths_;  // the number of known bodies of each length
};

}  // namespace yolod::app::schedule
