// A cgroup with a memory limit, below this process's own; removed on destruction.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace yolod::tests {

class MemoryCgroup {
 public:
  // Nothing where this machine or user cannot have one; `reason` says why.
  static std::unique_ptr<MemoryCgroup> create(std::uint64_t limit_bytes, std::string& reason);
  ~MemoryCgroup();
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;

  // The file that takes a pid; "0" is the writer.
  [[nodiscard]] std::string procs_file() const { return (path_ / "cgroup.procs").string(); }

  // How often the kernel has killed a process of it for want of memory.
  [[nodiscard]] std::uint64_t oom_kills() const;

 private:
  MemoryCgroup(std::filesystem::path path, bool unified) : path_(std::move(path)), unified_(unified) {}

  std::filesystem::path path_;
  bool unified_;
};

}  // namespace yolod::tests
