#include "ipc/prediction_reader.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "ipc/prediction_codec.hpp"
#include "ipc/prediction_parts.hpp"
#include "ipc/wire.hpp"

namespace yolod::ipc {
namespace {

using common::EncodedFile;
using common::NamedTensor;
using common::TensorList;

// A result of this size, and one that is neither a file nor tensors, is read at once.
constexpr std::uint64_t kReadWholeBytes = 64 * 1024;
constexpr std::uint64_t kHeadBytes = 8;  // the kind, and the type of a file or the count of tensors
// The longest name, type and shape of a tensor.
constexpr std::uint64_t kTensorHeadBytes =
    kMaxTextBytes + 3 * sizeof(std::uint32_t) + common::kMaxDimensions * sizeof(std::int64_t);

void spend(std::size_t& budget_bytes, std::uint64_t bytes) {
  budget_bytes -= static_cast<std::size_t>(std::min<std::uint64_t>(budget_bytes, bytes));
}

}  // namespace

PredictionReader::State PredictionReader::step(LaneOwner& lane, std::size_t& budget_bytes) {
  if (at_ == 0) {
    if (const auto begun = begin(lane, budget_bytes); begun != State::kMore) return begun;
  }
  for (;;) {
    while (part_left_ != 0) {
      if (budget_bytes == 0) return State::kMore;
      const std::uint64_t bytes = std::min<std::uint64_t>(budget_bytes, part_left_);
      if (!lane.append_result(slot_, at_, bytes, *part_)) return State::kCorrupt;
      at_ += bytes;
      part_left_ -= bytes;
      spend(budget_bytes, bytes);
    }
    if (const auto* const file = std::get_if<EncodedFile>(&prediction_)) {
      return has_magic(*file) ? State::kDone : State::kCorrupt;
    }
    if (tensors_left_ == 0) return at_ == bytes_ ? State::kDone : State::kCorrupt;
    if (!begin_tensor(lane, budget_bytes)) return State::kCorrupt;
  }
}

PredictionReader::State PredictionReader::begin(LaneOwner& lane, std::size_t& budget_bytes) {
  if (bytes_ <= kReadWholeBytes) return read_whole(lane, budget_bytes);
  const auto head = lane.copy_result(slot_, kHeadBytes);
  if (!head) return State::kCorrupt;
  Reader in(*head);
  const auto kind = in.number<PredictionKind>();
  const auto type_or_count = in.number<std::uint32_t>();
  at_ = kHeadBytes;
  if (kind == PredictionKind::kFile) {
    auto& file = prediction_.emplace<EncodedFile>();
    file.type = static_cast<common::FileType>(type_or_count);
    part_ = &file.bytes;
    part_left_ = bytes_ - at_;
    part_->reserve(part_left_);
    return State::kMore;
  }
  if (kind != PredictionKind::kTensors) return read_whole(lane, budget_bytes);
  if (type_or_count > common::kMaxTensors) return State::kCorrupt;
  tensors_left_ = type_or_count;
  // The tensors are not moved while their bytes are read.
  prediction_.emplace<TensorList>().tensors.reserve(tensors_left_);
  return State::kMore;
}

PredictionReader::State PredictionReader::read_whole(LaneOwner& lane, std::size_t& budget_bytes) {
  const auto bytes = lane.copy_result(slot_, bytes_);
  if (!bytes) return State::kCorrupt;
  spend(budget_bytes, bytes_);
  auto decoded = decode_prediction(*bytes);
  if (!decoded) return State::kCorrupt;
  prediction_ = *std::move(decoded);
  return State::kDone;
}

bool PredictionReader::begin_tensor(LaneOwner& lane, std::size_t& budget_bytes) {
  std::vector<std::byte> head;
  const std::uint64_t head_bytes = std::min(kTensorHeadBytes, bytes_ - at_);
  if (!lane.append_result(slot_, at_, head_bytes, head)) return false;
  Reader in(head);
  NamedTensor tensor;
  const auto bytes = read_tensor_head(in, tensor);
  auto& list = std::get<TensorList>(prediction_);
  if (!bytes || !may_follow(list, tensor)) return false;
  at_ += head.size() - in.left();
  if (*bytes > bytes_ - at_) return false;
  spend(budget_bytes, head.size());
  part_ = &list.tensors.emplace_back(std::move(tensor)).array.bytes;
  part_left_ = *bytes;
  part_->reserve(part_left_);
  --tensors_left_;
  return true;
}

}  // namespace yolod::ipc
