// A cgroup below this process's own that can be frozen as a whole. The destructor thaws and removes it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace yolod::tests {

class FreezerCgroup {
 public:
  // Returns nothing if this machine or user cannot have such a cgroup, and sets `reason`.
  static std::unique_ptr<FreezerCgroup> create(std::string& reason);
  ~FreezerCgroup();
  FreezerCgroup(const FreezerCgroup&) = delete;
  FreezerCgroup& operator=(const FreezerCgroup&) = delete;

  // A process writes its pid to this file to join the group; "0" is the writer.
  [[nodiscard]] std::string procs_file() const { return (path_ / "cgroup.procs").string(); }

  // Each returns when no process of the group runs any more, or when all may run again. Returns false if the kernel
  // refuses.
  [[nodiscard]] bool freeze();
  [[nodiscard]] bool thaw();

 private:
  FreezerCgroup(std::filesystem::path path, bool unified) : path_(std::move(path)), unified_(unified) {}

  std::filesystem::path path_;
  bool unified_;
};

// Call this in a child between fork and exec.
void join_cgroup(const char* procs_file);

}  // namespace yolod::tests
