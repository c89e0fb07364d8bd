// The files of a listener's certificate and key, and the context made of them. The files may be replaced while the
// server runs: new connections use them as soon as they are read again, and good.
//
// Front-end only, its one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "app/net/tls_context.hpp"
#include "common/config/server_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app::net {

class TlsFiles {
 public:
  using TimePoint = TlsContext::TimePoint;

  // Reads the files; a certificate that clients cannot take for valid now is used, and is one more of the context's
  // concerns that `warnings` gets. An Error is kBadConfig.
  [[nodiscard]] static common::Outcome<std::unique_ptr<TlsFiles>> open(const common::TlsConfig& files, TimePoint now,
                                                                       std::vector<std::string>& warnings);

  // Never null.
  [[nodiscard]] const std::shared_ptr<const TlsContext>& context() const { return context_; }
  [[nodiscard]] const common::TlsConfig& files() const { return files_; }

  // Reads the files again, which may be others now. An Error is kBadConfig, and changes nothing: also where the
  // certificate is not valid at `now`.
  [[nodiscard]] common::Outcome<void> reload(const common::TlsConfig& files, TimePoint now);
  enum class Change { kNone, kTaken };
  // Reads the files again if one of them has changed since it was last read or refused.
  [[nodiscard]] common::Outcome<Change> reload_if_changed(TimePoint now);

 private:
  // What tells that a file is another one: device and inode, size, time of the last change.
  struct Mark {
    std::uint64_t device{0};
    std::uint64_t inode{0};
    std::int64_t bytes{0};
    std::int64_t changed_ns{0};
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  using Marks = std::array<Mark, 3>;

  explicit TlsFiles(common::TlsConfig files) : files_(std::move(files)), marks_(marks_of(files_)) {}
  [[nodiscard]] static Marks marks_of(const common::TlsConfig& files);

  common::TlsConfig files_;
  Marks marks_;
  std::shared_ptr<const TlsContext> context_;
};

}  // namespace yolod::app::net
