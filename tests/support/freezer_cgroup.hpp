// A cgroup that can be frozen as a whole, below this process's own; thawed and removed on destruction.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace yolod::tests {

class FreezerCgroup {
 public:
  // Nothing where this machine or user cannot have one; `reason` says why.
  static std::unique_ptr<FreezerCgroup> create(std::string& reason);
  ~FreezerCgroup();
  FreezerCgroup(const FreezerCgroup&) = delete;
  FreezerCgroup& operator=(const FreezerCgroup&) = delete;

  // The file that takes a pid; "0" is the writer.
  [[nodiscard]] std::string procs_file() const { return (path_ / "cgroup.procs").string(); }

  // Each returns when no process of it runs any more, or all may; false if the kernel refuses.
  [[nodiscard]] bool freeze();
  [[nodiscard]] bool thaw();

 private:
  FreezerCgroup(std::filesystem::path path, bool unified) : path_(std::move(path)), unified_(unified) {}

  std::filesystem::path path_;
  bool unified_;
};

// In a child, between fork and exec.
void join_cgroup(const char* procs_file);

}  // namespace yolod::tests
