#include "model/image/coarse_jpeg/scan.hpp"

#include <algorithm>
#include <utility>

#include "model/image/coarse_jpeg/lanes.hpp"
#include "model/image/coarse_jpeg/mcu_reader.hpp"
#include "model/image/coarse_jpeg/scan_data.hpp"

namespace yolod::model::image::coarse {
namespace {

McuLayout layout_of(const BaselineFile& file) {
  McuLayout layout;
  layout.blocks = file.blocks_of_mcu();
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < layout.blocks; ++i) {
    const auto colour = i + 2 < layout.blocks ? 0 : i + kColours - layout.blocks;
    const auto& of = file.colours[colour];
    const std::pair codes(of.dc_code, of.ac_code);
    const auto known = std::find(pairs.begin(), pairs.end(), codes);
    layout.pair[i] = static_cast<std::size_t>(known - pairs.begin());
    layout.lost[i] = {lost_bits(of.quantization_across), lost_bits(of.quantization_down)};
    if (known != pairs.end()) continue;
    pairs.push_back(codes);
    layout.tables.add(file.dc_codes[codes.first], file.ac_codes[codes.second]);
  }
  return layout;
}

class ScanJoiner {
 public:
  ScanJoiner(const McuLayout& layout, const ScanData& data, codec::Budget* budget)
      : layout_(layout), data_(data), budget_(budget) {}

  bool read_one_by_one(std::size_t mcus, std::size_t interval) {
    auto* blocks = room_for(mcus * layout_.blocks);
    std::size_t begin = 0;
    for (const auto end : data_.ends) {
      const auto count = std::min(interval, mcus);
      if (count == 0) return false;
      mcus -= count;
      McuReader reader(layout_, data_.bytes.get(), 8 * begin);
      auto* const first = blocks;
      for (std::size_t i = 0; i < count; ++i, blocks += layout_.blocks) {
        if (!reader.read(blocks) || reader.position() > 8 * end || is_over()) return false;
      }
      if (!ends_at(reader.position(), end)) return false;
      add(first, count, true);
      begin = end;
    }
    return mcus == 0;
  }

  // REQUIRES: the data has no restart markers.
  bool read_in_parts(std::size_t mcus, std::size_t part_count) {
    wanted_ = mcus;
    auto parts = make_parts(mcus, part_count);
    auto* const blocks = room_for(parts.back().end_block);
    read_parts(layout_, data_.bytes.get(), parts, blocks);
    if (budget_ != nullptr && budget_->look()) return false;
    // The gap's blocks are for the MCUs that no part supplies: the MCUs between the end of a part and the bit from
    // which the next part is correct, and the MCUs behind the last part.
    gap_ = room_for(mcus * layout_.blocks);
    if (parts[0].mcus_to_last_invalid > 0 || !take(parts[0], 0, blocks)) return false;
    std::size_t position = parts[0].stopped_at;
    for (std::size_t i = 1; i < parts.size() && taken_ < wanted_; ++i) {
      if (!join(position, parts[i], blocks)) return false;
    }
    McuReader reader(layout_, data_.bytes.get(), position);
    while (taken_ < wanted_) {
      if (!read_gap(reader)) return false;
    }
    return ends_at(reader.position(), data_.size());
  }

  Scan take_scan() { return std::move(scan_); }

 private:
  std::vector<Part> make_parts(std::size_t mcus, std::size_t count) const {
    // All parts have the same number of bits, but a plain area of the picture needs fewer bits for each MCU. Therefore
    // a part gets room for three times the average number of MCUs.
    const auto room = static_cast<std::uint32_t>((3 * mcus / count + 4) * layout_.blocks);
    std::vector<Part> parts(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto bit_at = [&](std::size_t part) { return static_cast<std::uint32_t>(data_.size() * part / count * 8); };
      parts[i].first_bit = bit_at(i);
      parts[i].end_bit = bit_at(i + 1);
      parts[i].first_block = static_cast<std::uint32_t>(i) * room;
      parts[i].end_block = parts[i].first_block + room;
    }
    // read_in_parts() reads the last bits with one McuReader and stops after the last MCU of the picture. A lane would
    // read on, because it does not know how many MCUs the picture has.
    constexpr std::uint32_t kLastBits = 8 * 64;
    parts.back().end_bit -= std::min(kLastBits, parts.back().end_bit - parts.back().first_bit);
    return parts;
  }

  // `position` is the confirmed start of an MCU. The reader `certain` starts there, and the reader `guess` starts at
  // the beginning of the part. Both read on until they are at the same bit. The part is correct from that bit on, so
  // join() takes these MCUs of the part and moves `position` to the end of the part. If the readers do not meet, join()
  // takes nothing from the part and moves `position` to the bit that `certain` has reached. Returns false for faulty
  // data, and if the budget is used up.
  bool join(std::size_t& position, const Part& part, const Block* blocks) {
    McuReader certain(layout_, data_.bytes.get(), position);
    McuReader guess(layout_, data_.bytes.get(), part.first_bit);
    std::array<Block, McuLayout::kMostBlocks> unused{};
    for (std::size_t guessed = 0;;) {
      if (certain.position() == guess.position()) {
        position = part.stopped_at;
        return part.mcus_to_last_invalid <= guessed && take(part, guessed, blocks);
      }
      if (certain.position() < guess.position()) {
        if (taken_ == wanted_) break;
        if (!read_gap(certain)) return false;
      } else {
        if (guessed == part.mcus) break;
        (void)guess.read(unused.data());
        ++guessed;
      }
    }
    position = certain.position();
    return true;
  }

  bool read_gap(McuReader& reader) {
    if (!reader.read(gap_) || reader.position() > 8 * data_.size() || is_over()) return false;
    add(gap_, 1, scan_.runs.empty());
    gap_ += layout_.blocks;
    ++taken_;
    return true;
  }

  // Takes the MCUs of the part from number `first` to the end of the part. Returns false if these are more MCUs than
  // the picture still needs, or if the part ends behind the data.
  bool take(const Part& part, std::size_t first, const Block* blocks) {
    const auto count = part.mcus - first;
    if (count > wanted_ - taken_ || part.stopped_at > 8 * data_.size()) return false;
    taken_ += count;
    if (count > 0) add(blocks + part.first_block + first * layout_.blocks, count, scan_.runs.empty());
    return true;
  }

  void add(const Block* first, std::size_t mcus, bool restarts) {
    const std::span blocks(first, mcus * layout_.blocks);
    auto& runs = scan_.runs;
    if (!restarts && !runs.empty() && runs.back().blocks.data() + runs.back().blocks.size() == first) {
      runs.back().blocks = {runs.back().blocks.data(), runs.back().blocks.size() + blocks.size()};
    } else {
      runs.push_back({blocks, restarts});
    }
  }

  // The last code's byte may have fill bits; a scan has no data after that byte.
  static bool ends_at(std::size_t bit, std::size_t end) { return bit <= 8 * end && 8 * end - bit < 8; }

  // Call it for each MCU. It reads the clock for every 1024th MCU.
  [[nodiscard]] bool is_over() {
    constexpr unsigned kMcusPerLook = 1024;
    return ++mcus_read_ % kMcusPerLook == 0 && budget_ != nullptr && budget_->look();
  }

  Block* room_for(std::size_t blocks) {
    return scan_.storage.emplace_back(std::make_unique_for_overwrite<Block[]>(blocks)).get();
  }

  const McuLayout& layout_;
  const ScanData& data_;
  codec::Budget* budget_;
  unsigned mcus_read_{0};
  Scan scan_;
  std::size_t wanted_{0};  // MCUs
  std::size_t taken_{0};
  Block* gap_{nullptr};
};

}  // namespace

std::optional<Scan> read_scan(const BaselineFile& file, Reading reading, codec::Budget* budget) {
  const auto mcus = file.mcus_across() * file.mcus_down();
  const auto interval = file.restart_interval == 0 ? mcus : file.restart_interval;
  // The shortest block has two codes of one bit each.
  const auto could_hold = [&](std::size_t bytes) { return mcus * file.blocks_of_mcu() * 2 <= 8 * bytes; };
  if (!could_hold(file.scan.size())) return std::nullopt;
  const auto data = read_scan_data(file.scan, (mcus + interval - 1) / interval);
  if (!data || !could_hold(data->size())) return std::nullopt;
  const auto layout = layout_of(file);
  ScanJoiner joiner(layout, *data, budget);
  constexpr std::size_t kMostBytes = std::size_t{1} << 28U;  // bit positions are 32-bit numbers
  constexpr std::size_t kWorthIt = 128 * 1024;
  constexpr std::size_t kMostParts = 64;
  constexpr std::size_t kLeastBytesOfPart = 256;
  const auto parts = std::min(kMostParts, data->size() / kLeastBytesOfPart);
  const bool can_part = have_lanes() && data->ends.size() == 1 && parts > 0 && data->size() < kMostBytes;
  const bool wants_parts =
      reading == Reading::kInManyParts || (reading == Reading::kFastest && data->size() >= kWorthIt);
  const bool done =
      can_part && wants_parts ? joiner.read_in_parts(mcus, parts) : joiner.read_one_by_one(mcus, interval);
  if (!done) return std::nullopt;
  return joiner.take_scan();
}

}  // namespace yolod::model::image::coarse
