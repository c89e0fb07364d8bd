#include "ipc/memfd_region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

#include "tests/support/duplicate.hpp"

namespace yolod::ipc {
namespace {

using common::ErrorCode;
using common::UniqueFd;
using tests::duplicate;

constexpr std::uint64_t kBytes = 8192;

MemfdRegion make_region(std::uint64_t bytes = kBytes) {
  auto region = MemfdRegion::create("yolod-test", bytes);
  REQUIRE(region);
  return std::move(region).value();
}

// Returns a memfd as another process could make it: `bytes` long, with these seals.
UniqueFd foreign_memfd(std::uint64_t bytes, int seals) {
  UniqueFd descriptor(memfd_create("yolod-test-foreign", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(descriptor.valid());
  REQUIRE(ftruncate(descriptor.get(), static_cast<off_t>(bytes)) == 0);
  if (seals != 0) REQUIRE(fcntl(descriptor.get(), F_ADD_SEALS, seals) == 0);
  return descriptor;
}

// A shared mapping of one page, or nothing. The destructor unmaps it.
class Mapping {
 public:
  Mapping(int descriptor, int protection)
      : address_(mmap(nullptr, kBytes, protection, MAP_SHARED, descriptor, 0)), error_(errno) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (made()) munmap(address_, kBytes);
  }
  [[nodiscard]] bool made() const { return address_ != MAP_FAILED; }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] void* address() const { return address_; }

 private:
  void* address_;
  int error_;
};

TEST_CASE("MemfdRegion: a new region has the requested size and is zeroed", "[ipc][unit]") {
  const std::uint64_t bytes = GENERATE(as<std::uint64_t>{}, 1, 4095, 4096, 4097, 100'000);
  const MemfdRegion region = make_region(bytes);
  CHECK(region.bytes().size() == bytes);
  CHECK(std::all_of(region.bytes().begin(), region.bytes().end(), [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST_CASE("MemfdRegion: every page is allocated when it is made", "[ipc][unit]") {
  const MemfdRegion region = make_region(1 << 20U);
  struct stat status {};
  REQUIRE(fstat(region.descriptor(), &status) == 0);
  CHECK(status.st_size == 1 << 20U);
  CHECK(status.st_blocks * 512 >= 1 << 20U);
}

TEST_CASE("MemfdRegion: its descriptor does not survive an exec", "[ipc][unit]") {
  const MemfdRegion region = make_region();
  CHECK((fcntl(region.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

// Do not test with a size that the system can begin to allocate, because it would allocate until memory runs out.
TEST_CASE("MemfdRegion: no bytes, and more than a file can have, are errors", "[ipc][unit]") {
  const std::uint64_t bytes =
      GENERATE(as<std::uint64_t>{}, 0, std::uint64_t{1} << 63U, std::numeric_limits<std::uint64_t>::max());
  const auto region = MemfdRegion::create("yolod-test", bytes);
  REQUIRE_FALSE(region);
  CHECK(region.error().code == ErrorCode::kSystem);
  CHECK_FALSE(region.error().message.empty());
}

TEST_CASE("MemfdRegion: a name that the kernel refuses is an error", "[ipc][unit]") {
  const auto region = MemfdRegion::create(std::string(300, 'x'), kBytes);
  REQUIRE_FALSE(region);
  CHECK(region.error().code == ErrorCode::kSystem);
}

TEST_CASE("MemfdRegion: a region can neither shrink nor grow", "[ipc][unit]") {
  const off_t size = GENERATE(as<off_t>{}, 0, static_cast<off_t>(kBytes - 1), static_cast<off_t>(kBytes + 1));
  const MemfdRegion region = make_region();
  CHECK(ftruncate(region.descriptor(), size) != 0);
  CHECK(errno == EPERM);
  CHECK(region.bytes().size() == kBytes);
}

TEST_CASE("MemfdRegion: two maps of one region see each other's writes", "[ipc][unit]") {
  const MemfdRegion ours = make_region();
  const auto theirs = MemfdRegion::open(duplicate(ours.descriptor()), MemfdRegion::Access::kReadWrite);
  REQUIRE(theirs);
  ours.bytes()[10] = std::byte{42};
  CHECK(theirs->bytes()[10] == std::byte{42});
  theirs->bytes()[kBytes - 1] = std::byte{7};
  CHECK(ours.bytes()[kBytes - 1] == std::byte{7});
}

TEST_CASE("MemfdRegion: the mapping outlives its descriptor", "[ipc][unit]") {
  MemfdRegion region = make_region();
  region.close_descriptor();
  CHECK(region.descriptor() == -1);
  region.bytes()[0] = std::byte{1};
  CHECK(region.bytes()[0] == std::byte{1});
}

TEST_CASE("MemfdRegion: a move keeps the mapping's address", "[ipc][unit]") {
  MemfdRegion region = make_region();
  const auto* const address = region.bytes().data();
  const MemfdRegion moved = std::move(region);
  CHECK(moved.bytes().data() == address);
  CHECK(moved.bytes().size() == kBytes);
}

TEST_CASE("MemfdRegion: a region that is sealed against writers cannot be mapped writable", "[ipc][unit]") {
  MemfdRegion region = make_region();
  REQUIRE(region.seal_against_writers());
  const Mapping writable(region.descriptor(), PROT_READ | PROT_WRITE);
  CHECK_FALSE(writable.made());
  CHECK(writable.error() == EPERM);
}

TEST_CASE("MemfdRegion: a read-only map of a region that is sealed against writers cannot be made writable",
          "[ipc][unit]") {
  MemfdRegion region = make_region();
  REQUIRE(region.seal_against_writers());
  const Mapping read_only(region.descriptor(), PROT_READ);
  REQUIRE(read_only.made());
  CHECK(mprotect(read_only.address(), kBytes, PROT_READ | PROT_WRITE) != 0);
  CHECK(errno == EACCES);
}

TEST_CASE("MemfdRegion: write() to the descriptor of a region that is sealed against writers fails", "[ipc][unit]") {
  MemfdRegion region = make_region();
  REQUIRE(region.seal_against_writers());
  CHECK(pwrite(region.descriptor(), "x", 1, 0) == -1);
  CHECK(errno == EPERM);
}

TEST_CASE("MemfdRegion: a region that is sealed against writers can only be opened read-only", "[ipc][unit]") {
  MemfdRegion region = make_region();
  REQUIRE(region.seal_against_writers());
  CHECK_FALSE(MemfdRegion::open(duplicate(region.descriptor()), MemfdRegion::Access::kReadWrite));
  region.bytes()[3] = std::byte{9};
  const auto view = MemfdRegion::open(duplicate(region.descriptor()), MemfdRegion::Access::kReadOnly);
  REQUIRE(view);
  CHECK(view->bytes()[3] == std::byte{9});
}

TEST_CASE("MemfdRegion: the mapping from before a seal against writers stays writable", "[ipc][unit]") {
  MemfdRegion region = make_region();
  REQUIRE(region.seal_against_writers());
  region.bytes()[0] = std::byte{5};
  CHECK(region.bytes()[0] == std::byte{5});
}

TEST_CASE("MemfdRegion: no further seal can be set once it is sealed against seals", "[ipc][unit]") {
  MemfdRegion region = make_region();
  REQUIRE(region.seal_against_seals());
  CHECK(fcntl(region.descriptor(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0);
  CHECK(errno == EPERM);
  const auto other = MemfdRegion::open(duplicate(region.descriptor()), MemfdRegion::Access::kReadWrite);
  CHECK(other.ok());
}

TEST_CASE("MemfdRegion: a second seal against writers is an error", "[ipc][unit]") {
  MemfdRegion region = make_region();
  REQUIRE(region.seal_against_writers());
  const auto again = region.seal_against_writers();
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::kSystem);
}

TEST_CASE("MemfdRegion: open refuses a region that could still shrink or grow", "[ipc][unit]") {
  const int seals = GENERATE(0, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_GROW | F_SEAL_WRITE);
  const auto region = MemfdRegion::open(foreign_memfd(kBytes, seals), MemfdRegion::Access::kReadOnly);
  REQUIRE_FALSE(region);
  CHECK(region.error().code == ErrorCode::kSystem);
}

TEST_CASE("MemfdRegion: open refuses an empty region", "[ipc][unit]") {
  CHECK_FALSE(MemfdRegion::open(foreign_memfd(0, F_SEAL_SHRINK | F_SEAL_GROW), MemfdRegion::Access::kReadOnly));
}

TEST_CASE("MemfdRegion: open refuses a descriptor that is not a memfd", "[ipc][unit]") {
  CHECK_FALSE(MemfdRegion::open(UniqueFd(), MemfdRegion::Access::kReadOnly));
  CHECK_FALSE(MemfdRegion::open(UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC)), MemfdRegion::Access::kReadOnly));
}

TEST_CASE("MemfdRegion: a refused open closes the descriptor that it was given", "[ipc][unit]") {
  UniqueFd foreign = foreign_memfd(kBytes, 0);
  const int number = foreign.get();
  CHECK_FALSE(MemfdRegion::open(std::move(foreign), MemfdRegion::Access::kReadOnly));
  CHECK(fcntl(number, F_GETFD) == -1);
}

TEST_CASE("MemfdRegion: exclude_from_dumps does not change the bytes", "[ipc][unit]") {
  MemfdRegion region = make_region();
  region.bytes()[1] = std::byte{3};
  region.exclude_from_dumps();
  CHECK(region.bytes()[1] == std::byte{3});
}

}  // namespace
}  // namespace yolod::ipc
