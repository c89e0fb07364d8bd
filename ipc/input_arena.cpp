#include "ipc/input_arena.hpp"

#include <algorithm>
#include <array>
#include <boost/interprocess/indexes/null_index.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <cstring>
#include <new>
#include <utility>

namespace yolod::ipc {
namespace {

namespace bip = boost::interprocess;

// A best-fit allocator with its bookkeeping in the arena. It has no mutex, because one thread uses it, and no named
// objects.
using Buffer = bip::basic_managed_external_buffer<char, bip::rbtree_best_fit<bip::null_mutex_family>, bip::null_index>;

constexpr std::size_t kHeaderBytes = sizeof(ArenaHeader);
constexpr std::size_t kBlockAlignment = 64;
// The most bytes that the allocator adds to a block.
constexpr std::uint64_t kBlockOverheadBytes = 256;
// A smaller arena would have no room for bodies beside the header and the allocator's bookkeeping.
constexpr std::uint64_t kSmallestArenaBytes = 4096;

std::atomic<std::uint32_t>& front_end_mark(const MemfdRegion& region) {
  return reinterpret_cast<ArenaHeader*>(region.bytes().data())->front_end.sleeps;
}

}  // namespace

class ArenaAllocator {
 public:
  ArenaAllocator(std::byte* base, std::size_t bytes) : buffer_(bip::create_only, base, bytes), capacity_bytes_(bytes) {}

  // Stores in `reserved` the size that the caller must pass to free the block.
  std::byte* allocate(std::uint64_t bytes, std::uint64_t& reserved) {
    const std::uint64_t wanted = bytes == 0 ? 1 : bytes;
    if (wanted > capacity_bytes_ / 2 || uploading_bytes_ + wanted > capacity_bytes_ / 2) return nullptr;
    const bool in_pages = wanted >= kSmallestInPages && wanted <= capacity_bytes_ / kFewestInPages;
    reserved = in_pages ? (wanted + kPage - 1) / kPage * kPage : wanted;
    std::byte* place = take_kept(reserved);
    if (place == nullptr) place = reserve(reserved);
    if (place == nullptr && kept_count_ != 0) {
      give_back_kept();
      place = reserve(reserved);
    }
    if (place == nullptr && reserved != wanted) place = reserve(reserved = wanted);
    if (place != nullptr) uploading_bytes_ += bytes;
    return place;
  }
  void deallocate(std::byte* place, std::uint64_t reserved) {
    if (reserved == 0) {
      buffer_.deallocate(place);
    } else {
      // Free the oldest kept block to make room for this one.
      if (kept_count_ == kept_.size()) {
        buffer_.deallocate(kept_.front().place);
        std::move(kept_.begin() + 1, kept_.end(), kept_.begin());
        --kept_count_;
      }
      kept_[kept_count_++] = {place, reserved};
    }
    tell_room();
  }
  void shrink(std::byte* place, std::uint64_t from, std::uint64_t to) {
    Buffer::size_type received = to == 0 ? 1 : to;
    char* block = reinterpret_cast<char*>(place);
    buffer_.allocation_command<char>(bip::shrink_in_place | bip::nothrow_allocation, from, received, block);
  }
  void end_upload(std::uint64_t bytes) {
    uploading_bytes_ -= bytes;
    tell_room();
  }

  [[nodiscard]] std::uint64_t capacity_bytes() const { return capacity_bytes_; }
  // Frees the kept blocks first, so that only blocks in use count. It is called rarely.
  [[nodiscard]] std::uint64_t used_bytes() {
    give_back_kept();
    return capacity_bytes_ - buffer_.get_free_memory();
  }

  [[nodiscard]] std::uint64_t uploading_bytes() const { return uploading_bytes_; }
  void on_room(std::function<void()> listener) { room_listener_ = std::move(listener); }

 private:
  // Recently freed blocks, for the next body of a similar size. A search in the allocator's tree costs more than all
  // other work for a small request, and the bytes of a recent block are still in the processor's cache. Larger bodies
  // are reserved in whole pages, so that pictures of similar size from one camera can reuse each other's blocks. If
  // an allocation fails, the kept blocks are freed.
  struct Kept {
    std::byte* place;
    std::uint64_t bytes;
  };
  static constexpr std::uint64_t kPage = 4096;
  static constexpr std::uint64_t kSmallestInPages = 4 * kPage;
  // Bodies are rounded up to whole pages only if the arena has room for this many bodies, because padding may cost up
  // to a page.
  static constexpr std::uint64_t kFewestInPages = 64;

  std::byte* reserve(std::uint64_t bytes) {
    return static_cast<std::byte*>(buffer_.allocate_aligned(bytes, kBlockAlignment, std::nothrow));
  }
  std::byte* take_kept(std::uint64_t bytes) {
    for (std::size_t i = kept_count_; i-- != 0;) {
      if (kept_[i].bytes != bytes) continue;
      std::byte* const place = kept_[i].place;
      std::move(kept_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                kept_.begin() + static_cast<std::ptrdiff_t>(kept_count_--),
                kept_.begin() + static_cast<std::ptrdiff_t>(i));
      return place;
    }
    return nullptr;
  }
  void give_back_kept() {
    for (; kept_count_ != 0; --kept_count_) buffer_.deallocate(kept_[kept_count_ - 1].place);
  }

  void tell_room() const {
    if (room_listener_) room_listener_();
  }

  Buffer buffer_;
  std::uint64_t capacity_bytes_;
  std::uint64_t uploading_bytes_{0};
  std::array<Kept, 16> kept_{};  // the oldest block first
  std::size_t kept_count_{0};
  std::function<void()> room_listener_;
};

ArenaBlock& ArenaBlock::operator=(ArenaBlock&& other) noexcept {
  if (this != &other) {
    free();
    allocator_ = std::exchange(other.allocator_, nullptr);
    bytes_ = std::exchange(other.bytes_, {});
    offset_ = other.offset_;
    reserved_bytes_ = other.reserved_bytes_;
    uploading_ = std::exchange(other.uploading_, false);
  }
  return *this;
}

void ArenaBlock::shrink(std::uint64_t bytes) {
  if (allocator_ == nullptr || bytes >= bytes_.size()) return;
  allocator_->shrink(bytes_.data(), bytes_.size(), bytes);
  reserved_bytes_ = 0;  // no other body is likely to have this size, so do not keep the block
  if (uploading_) allocator_->end_upload(bytes_.size() - bytes);
  bytes_ = bytes_.first(bytes);
}

void ArenaBlock::end_upload() {
  if (std::exchange(uploading_, false)) allocator_->end_upload(bytes_.size());
}

void ArenaBlock::free() {
  if (allocator_ == nullptr) return;
  end_upload();
  std::exchange(allocator_, nullptr)->deallocate(bytes_.data(), reserved_bytes_);
}

InputArena::InputArena(MemfdRegion region)
    : region_(std::move(region)),
      allocator_(std::make_unique<ArenaAllocator>(region_.bytes().data() + kHeaderBytes,
                                                  region_.bytes().size() - kHeaderBytes)) {}
InputArena::InputArena(InputArena&&) noexcept = default;
InputArena& InputArena::operator=(InputArena&&) noexcept = default;
InputArena::~InputArena() = default;

common::Outcome<InputArena> InputArena::create(std::uint64_t bytes) {
  if (bytes < kSmallestArenaBytes)
    return common::Error{common::ErrorCode::kSystem, "the arena is too small for a body"};
  auto region = MemfdRegion::create("yolod-arena", bytes);
  if (!region) return region.error();
  const RegionHeader header{kMagic, kLayoutVersion, RegionKind::kInputArena, bytes, 0};
  std::memcpy(region->bytes().data(), &header, sizeof header);
  front_end_mark(*region).store(1);
  if (auto sealed = region->seal_against_writers(); !sealed) return sealed.error();
  region->exclude_from_dumps();
  return InputArena(std::move(region).value());
}

std::optional<ArenaBlock> InputArena::allocate(std::uint64_t bytes) {
  std::uint64_t reserved = 0;
  std::byte* const place = allocator_->allocate(bytes, reserved);
  if (place == nullptr) return std::nullopt;
  return ArenaBlock(*allocator_, {place, bytes}, static_cast<std::uint64_t>(place - region_.bytes().data()), reserved);
}

void InputArena::fall_asleep() {
  front_end_mark(region_).store(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}
void InputArena::wake_up() { front_end_mark(region_).store(0, std::memory_order_relaxed); }

std::uint64_t InputArena::largest_body_bytes() const { return allocator_->capacity_bytes() / 2 - kBlockOverheadBytes; }
std::uint64_t InputArena::capacity_bytes() const { return allocator_->capacity_bytes(); }
std::uint64_t InputArena::used_bytes() const { return allocator_->used_bytes(); }
std::uint64_t InputArena::upload_share_bytes() const { return allocator_->capacity_bytes() / 2; }
std::uint64_t InputArena::uploading_bytes() const { return allocator_->uploading_bytes(); }
void InputArena::on_room(std::function<void()> listener) { allocator_->on_room(std::move(listener)); }

common::Outcome<InputArenaView> InputArenaView::open(common::UniqueFd descriptor) {
  auto region = MemfdRegion::open(std::move(descriptor), MemfdRegion::Access::kReadOnly);
  if (!region) return region.error();
  RegionHeader header{};
  if (region->bytes().size() < kHeaderBytes) return common::Error{common::ErrorCode::kSystem, "the arena is too small"};
  std::memcpy(&header, region->bytes().data(), sizeof header);
  if (header.magic != kMagic || header.version != kLayoutVersion || header.kind != RegionKind::kInputArena) {
    return common::Error{common::ErrorCode::kSystem, "the arena was made by another version of yolod"};
  }
  region->close_descriptor();
  return InputArenaView(std::move(region).value());
}

std::optional<std::span<const std::byte>> InputArenaView::body(std::uint64_t offset, std::uint64_t bytes) const {
  const std::span<const std::byte> all = region_.bytes();
  if (offset > all.size() || bytes > all.size() - offset) return std::nullopt;
  return all.subspan(offset, bytes);
}

bool InputArenaView::front_end_sleeps() const {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return front_end_mark(region_).load(std::memory_order_relaxed) != 0;
}

}  // namespace yolod::ipc
