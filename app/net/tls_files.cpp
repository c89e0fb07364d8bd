#include "app/net/tls_files.hpp"

#include <sys/stat.h>

#include <utility>

namespace yolod::app::net {

using common::Outcome;
using common::TlsContext;

Outcome<std::unique_ptr<TlsFiles>> TlsFiles::open(const common::TlsConfig& files, TimePoint now,
                                                  std::vector<std::string>& warnings) {
  std::unique_ptr<TlsFiles> made(new TlsFiles(files));
  auto context = TlsContext::load(files);
  if (!context) return context.error();
  made->context_ = *std::move(context);
  for (const auto& warning : made->context_->warnings()) warnings.push_back(warning);
  if (auto valid = made->context_->check_dates(now); !valid) warnings.push_back(valid.error().message);
  return made;
}

Outcome<void> TlsFiles::reload(const common::TlsConfig& files, TimePoint now) {
  files_ = files;
  marks_ = marks_of(files);
  auto context = TlsContext::load(files);
  if (!context) return context.error();
  if (auto valid = (*context)->check_dates(now); !valid) return valid;
  context_ = *std::move(context);
  return {};
}

Outcome<TlsFiles::Change> TlsFiles::reload_if_changed(TimePoint now) {
  if (marks_of(files_) == marks_) return Change::kNone;
  if (auto read = reload(common::TlsConfig(files_), now); !read) return read.error();
  return Change::kTaken;
}

TlsFiles::Marks TlsFiles::marks_of(const common::TlsConfig& files) {
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  const auto mark_of = [](const std::filesystem::path& file) {
    struct stat state {};
    if (file.empty() || stat(file.c_str(), &state) != 0) return Mark();
    return Mark{state.st_dev, state.st_ino, state.st_size, state.st_mtim.tv_sec * kNanoseconds + state.st_mtim.tv_nsec};
  };
  return {mark_of(files.certificate), mark_of(files.key), mark_of(files.client_ca)};
}

}  // namespace yolod::app::net
