// The files of a listener's certificate and key, and the context that was made from them. The files may be replaced
// while the server runs. New connections use the new files as soon as they were read again and are good.
//
// The object is used on the front-end's only thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "common/config/server_config.hpp"
#include "common/outcome.hpp"
#include "common/tls/tls_context.hpp"

namespace yolod::app::net {

class TlsFiles {
 public:
  using TimePoint = common::TlsContext::TimePoint;

  // Reads the files. An Error is kBadConfig. A certificate that is not valid at `now` is used, with one more entry in
  // `warnings`, because the clock of a machine that has just started may be wrong.
  [[nodiscard]] static common::Outcome<std::unique_ptr<TlsFiles>> open(const common::TlsConfig& files, TimePoint now,
                                                                       std::vector<std::string>& warnings);

  // Never null.
  [[nodiscard]] const std::shared_ptr<const common::TlsContext>& context() const { return context_; }

  // Reads `files`, which replace the files before. An Error is kBadConfig, also if the certificate is not valid at
  // `now`. After an Error context() stays, and reload_if_changed() reads `files` again when they have changed.
  [[nodiscard]] common::Outcome<void> reload(const common::TlsConfig& files, TimePoint now);
  enum class Change { kNone, kTaken };
  // Reads the files again if one of them has changed since it was last read or refused.
  [[nodiscard]] common::Outcome<Change> reload_if_changed(TimePoint now);

 private:
  // A file has changed if one of these has changed.
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
  std::shared_ptr<const common::TlsContext> context_;
};

}  // namespace yolod::app::net
