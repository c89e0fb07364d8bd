// A cgroup with a memory limit, below this process's own. The destructor removes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace yolod::tests {

class MemoryCgroup {
 public:
  // Returns nothing if this machine or user cannot have such a cgroup, and sets `reason`.
  static std::unique_ptr<MemoryCgroup> create(std::uint64_t limit_bytes, std::string& reason);
  ~MemoryCgroup();
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;

  // A process writes its pid to this file to join the group; "0" is the writer.
  [[nodiscard]] std::string procs_file() const { return (path_ / "cgroup.procs").string(); }

  // Returns how often the kernel has killed a process of the group because memory ran out.
  [[nodiscard]] std::uint64_t oom_kills() const;

 private:
  MemoryCgroup(std::filesystem::path path, bool unified) : path_(std::move(path)), unified_(unified) {}

  std::filesystem::path path_;
  bool unified_;
};

}  // namespace yolod::tests
