#include "common/system/memory_limit.hpp"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "tests/support/temporary_directory.hpp"

namespace yolod::common {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

// Makes an artificial /proc/self/cgroup and /sys/fs/cgroup.
class Cgroups {
 public:
  explicit Cgroups(const std::string& proc_self_cgroup)
      : proc_self_cgroup_(directory_.write("self_cgroup", proc_self_cgroup)) {
    std::filesystem::create_directories(root());
  }

  [[nodiscard]] std::filesystem::path root() const { return directory_.path() / "sys"; }
  // Writes `text` to `file` below the root, and makes the folders.
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root() / file).parent_path());
    (void)directory_.write("sys/" + file, text);
  }
  [[nodiscard]] std::optional<MemoryLimit> read() const {
    return read_memory_limit(proc_self_cgroup_, root(), root() / "meminfo");
  }

 private:
  tests::TemporaryDirectory directory_;
  std::filesystem::path proc_self_cgroup_;
};

// Sets the soft RLIMIT_FSIZE for a test.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    REQUIRE(getrlimit(RLIMIT_FSIZE, &previous_) == 0);
    rlimit limit = previous_;
    limit.rlim_cur = bytes;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &previous_); }

 private:
  rlimit previous_{};
};

// ---- reading ----

TEST_CASE("MemoryLimit: version 2 gives the limit and the use of the process's own cgroup", "[common][unit]") {
  const Cgroups cgroups("0::/app\n");
  cgroups.write("app/memory.max", "104857600\n");
  cgroups.write("app/memory.current", "1048576\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->limit_bytes == 100 * kMiB);
  CHECK(limit->used_bytes == kMiB);
  CHECK(limit->source == (cgroups.root() / "app/memory.max").string());
}

TEST_CASE("MemoryLimit: a tighter cgroup above counts, with its own use", "[common][unit]") {
  const Cgroups cgroups("0::/a/b/c\n");
  cgroups.write("a/b/c/memory.max", "300\n");
  cgroups.write("a/b/c/memory.current", "1\n");
  cgroups.write("a/b/memory.max", "max\n");
  cgroups.write("a/memory.max", "200\n");
  cgroups.write("a/memory.current", "2\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->limit_bytes == 200);
  CHECK(limit->used_bytes == 2);
  CHECK(limit->source == (cgroups.root() / "a/memory.max").string());
}

TEST_CASE("MemoryLimit: a cgroup beside the process's own does not count", "[common][unit]") {
  const Cgroups cgroups("0::/a/b\n");
  cgroups.write("a/other/memory.max", "1\n");
  cgroups.write("a/b/inner/memory.max", "2\n");
  CHECK_FALSE(cgroups.read());
}

TEST_CASE("MemoryLimit: if the cgroup's path is not mounted, the mount is the cgroup", "[common][unit]") {
  const auto path = GENERATE(std::string("/docker/abc"), std::string("/"), std::string("/../../host"));
  CAPTURE(path);
  const Cgroups cgroups("0::" + path + "\n");
  cgroups.write("memory.max", "500\n");
  cgroups.write("memory.current", "5\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->limit_bytes == 500);
  CHECK(limit->used_bytes == 5);
}

TEST_CASE("MemoryLimit: the page cache is not counted as used", "[common][unit]") {
  const Cgroups cgroups("0::/app\n");
  cgroups.write("app/memory.max", "500\n");
  cgroups.write("app/memory.current", "300\n");
  cgroups.write("app/memory.stat", "anon 100\nfile 200\ninactive_file 120\nactive_file 30\nshmem 50\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->used_bytes == 150);
}

TEST_CASE("MemoryLimit: the machine's own memory is a limit like any other", "[common][unit]") {
  const Cgroups cgroups("0::/app\n");
  cgroups.write("app/memory.max", "5000000\n");
  cgroups.write("meminfo", "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->limit_bytes == 1000 * 1024);
  CHECK(limit->left_bytes() == 400 * 1024);
}

TEST_CASE("MemoryLimit: the limit that leaves the least memory counts, not the smallest limit", "[common][unit]") {
  const Cgroups cgroups("0::/top/app\n");
  cgroups.write("top/memory.max", "900\n");
  cgroups.write("top/memory.current", "890\n");
  cgroups.write("top/app/memory.max", "500\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->limit_bytes == 900);
}

TEST_CASE("MemoryLimit: an unreadable use counts as zero", "[common][unit]") {
  const Cgroups cgroups("0::/app\n");
  cgroups.write("app/memory.max", "500\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->used_bytes == 0);
}

TEST_CASE("MemoryLimit: without a limit the result is empty", "[common][unit]") {
  const Cgroups cgroups("0::/app\n");
  SECTION("no files") {}
  SECTION("max") { cgroups.write("app/memory.max", "max\n"); }
  SECTION("an empty file") { cgroups.write("app/memory.max", ""); }
  SECTION("not a number") { cgroups.write("app/memory.max", "12x\n"); }
  SECTION("a negative number") { cgroups.write("app/memory.max", "-1\n"); }
  SECTION("more than 64 bits hold") { cgroups.write("app/memory.max", "18446744073709551616\n"); }
  SECTION("as good as none") { cgroups.write("app/memory.max", "9223372036854771712\n"); }
  CHECK_FALSE(cgroups.read());
}

TEST_CASE("MemoryLimit: version 1 is read from its memory controller", "[common][unit]") {
  const auto controllers = GENERATE(std::string("memory"), std::string("cpu,memory"), std::string("memory,hugetlb"));
  const Cgroups cgroups("3:cpuset:/elsewhere\n5:" + controllers + ":/app\n1:name=systemd:/x\n");
  cgroups.write("memory/app/memory.limit_in_bytes", "1000\n");
  cgroups.write("memory/app/memory.usage_in_bytes", "10\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->limit_bytes == 1000);
  CHECK(limit->used_bytes == 10);
}

TEST_CASE("MemoryLimit: version 1 without a limit gives an empty result", "[common][unit]") {
  const Cgroups cgroups("5:memory:/app\n");
  cgroups.write("memory/app/memory.limit_in_bytes", "9223372036854771712\n");
  cgroups.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK_FALSE(cgroups.read());
}

TEST_CASE("MemoryLimit: a controller whose name only begins with memory does not count", "[common][unit]") {
  const Cgroups cgroups("5:memoryx:/app\n6:xmemory:/app\n");
  cgroups.write("memory/app/memory.limit_in_bytes", "1000\n");
  CHECK_FALSE(cgroups.read());
}

TEST_CASE("MemoryLimit: if both versions are mounted, the tighter limit counts", "[common][unit]") {
  const Cgroups cgroups("5:memory:/app\n0::/app\n");
  cgroups.write("memory/app/memory.limit_in_bytes", "1000\n");
  cgroups.write("unified/app/memory.max", "900\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->limit_bytes == 900);
}

TEST_CASE("MemoryLimit: lines of another form are ignored", "[common][unit]") {
  const Cgroups cgroups("\nnonsense\n1:\n:\n::\n0::/app\n");
  cgroups.write("app/memory.max", "700\n");
  const auto limit = cgroups.read();
  REQUIRE(limit);
  CHECK(limit->limit_bytes == 700);
}

TEST_CASE("MemoryLimit: a process whose cgroups cannot be read has no limit", "[common][unit]") {
  CHECK_FALSE(read_memory_limit("/nonexistent/cgroup", "/nonexistent/root", "/nonexistent/meminfo"));
}

TEST_CASE("MemoryLimit: the limit of this process can be read", "[common][unit]") {
  const auto limit = read_memory_limit();
  REQUIRE(limit);  // the machine's own memory at least
  CHECK(limit->limit_bytes > 0);
  CHECK_FALSE(limit->source.empty());
}

// ---- checking ----

TEST_CASE("MemoryLimit: a use that fits exactly is accepted, and a byte more is refused", "[common][unit]") {
  const MemoryLimit limit{100 * kMiB, 20 * kMiB, "/sys/fs/cgroup/app/memory.max"};
  CHECK(check_memory_limits(50 * kMiB, 50 * kMiB, 30 * kMiB, limit));
  const auto refused = check_memory_limits(50 * kMiB + 1, 50 * kMiB, 30 * kMiB, limit);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kSystem);
}

TEST_CASE("MemoryLimit: a refusal is one line that names the file and the setting to change", "[common][unit]") {
  const MemoryLimit limit{64 * kMiB, 60 * kMiB, "/sys/fs/cgroup/app/memory.max"};
  const auto refused = check_memory_limits(256 * kMiB, 256 * kMiB, 0, limit);
  REQUIRE_FALSE(refused);
  const std::string& message = refused.error().message;
  CHECK(message.find("256.0 MiB") != std::string::npos);
  CHECK(message.find("4.0 MiB of 64.0 MiB") != std::string::npos);
  CHECK(message.find("/sys/fs/cgroup/app/memory.max") != std::string::npos);
  CHECK(message.find("memory.input_arena") != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
}

TEST_CASE("MemoryLimit: a cgroup that is over its limit has nothing left", "[common][unit]") {
  const MemoryLimit limit{100, 200, "x"};
  CHECK_FALSE(check_memory_limits(1, 1, 0, limit));
  CHECK(check_memory_limits(0, 0, 0, limit));
}

TEST_CASE("MemoryLimit: without a limit everything fits", "[common][unit]") {
  CHECK(check_memory_limits(std::uint64_t{1} << 50U, 0, 0, std::nullopt));  // of any RLIMIT_FSIZE too
}

TEST_CASE("MemoryLimit: the largest file must fit in RLIMIT_FSIZE, whatever the sum", "[common][unit]") {
  bool exact = false;
  bool one_more = true;
  std::string message;
  {
    const FileSizeLimit limit(kMiB);
    exact = check_memory_limits(10 * kMiB, kMiB, 0, std::nullopt).ok();
    const auto refused = check_memory_limits(10 * kMiB, kMiB + 1, 0, std::nullopt);
    one_more = refused.ok();
    if (!one_more) message = refused.error().message;
  }
  CHECK(exact);
  CHECK_FALSE(one_more);
  CHECK(message.find("RLIMIT_FSIZE") != std::string::npos);
  CHECK(message.find("1.0 MiB") != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
}

}  // namespace
}  // namespace yolod::common
