#include "ipc/description_codec.hpp"

#include "common/config/model_config.hpp"
#include "common/domain/tensor.hpp"
#include "ipc/wire.hpp"

namespace yolod::ipc {
namespace {

using common::ModelDescription;

constexpr std::uint32_t kMaxLabelCount = 1U << 20U;
constexpr std::uint32_t kMaxBatch = common::kMostInBatch;

}  // namespace

std::optional<std::uint64_t> encode_description(const ModelDescription& description, std::span<std::byte> out) {
  Writer writer(out);
  writer.text(description.task);
  writer.text(description.device);
  writer.text(description.precision);
  writer.number(description.input_width);
  writer.number(description.input_height);
  writer.number(std::uint32_t{description.decodes_ahead});
  writer.number(description.batch_size);
  writer.number(static_cast<std::uint32_t>(description.batch_times.size()));
  for (const auto& [size, us] : description.batch_times) {
    writer.number(size);
    writer.number(us);
  }
  if (description.tensor_inputs.size() > common::kMaxTensors) return std::nullopt;
  writer.number(static_cast<std::uint32_t>(description.tensor_inputs.size()));
  for (const std::string& name : description.tensor_inputs) writer.text(name);
  writer.number(std::uint32_t{description.takes_more_tensors});
  writer.number(description.input_channels);
  for (const std::uint32_t side : description.raw_output) writer.number(side);
  if (description.labels.size() > kMaxLabelCount) return std::nullopt;
  writer.number(static_cast<std::uint32_t>(description.labels.size()));
  for (const std::string& label : description.labels) writer.text(label);
  return writer.written();
}

std::optional<ModelDescription> decode_description(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  ModelDescription description;
  description.task = reader.text();
  description.device = reader.text();
  description.precision = reader.text();
  description.input_width = reader.number<std::uint32_t>();
  description.input_height = reader.number<std::uint32_t>();
  description.decodes_ahead = reader.number<std::uint32_t>() != 0;
  description.batch_size = reader.number<std::uint32_t>();
  if (description.batch_size > kMaxBatch) return std::nullopt;
  const auto timed_count = reader.number<std::uint32_t>();
  if (!reader.good() || timed_count > kMaxBatch) return std::nullopt;
  for (std::uint32_t i = 0; i < timed_count && reader.good(); ++i) {
    const auto size = reader.number<std::uint32_t>();
    const auto us = reader.number<std::uint32_t>();
    if (size == 0 || size > kMaxBatch) return std::nullopt;
    description.batch_times.emplace_back(size, us);
  }
  const auto tensor_count = reader.number<std::uint32_t>();
  if (!reader.good() || tensor_count > common::kMaxTensors) return std::nullopt;
  for (std::uint32_t i = 0; i < tensor_count && reader.good(); ++i) description.tensor_inputs.push_back(reader.text());
  description.takes_more_tensors = reader.number<std::uint32_t>() != 0;
  description.input_channels = reader.number<std::uint32_t>();
  for (std::uint32_t& side : description.raw_output) side = reader.number<std::uint32_t>();
  const auto count = reader.number<std::uint32_t>();
  // Each label needs at least the bytes of its length field. Refuse a count that does not fit before reserving
  // memory.
  if (!reader.good() || count > kMaxLabelCount || count > reader.left() / sizeof(std::uint32_t)) return std::nullopt;
  description.labels.reserve(count);
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) description.labels.push_back(reader.text());
  if (!reader.complete()) return std::nullopt;
  return description;
}

}  // namespace yolod::ipc
