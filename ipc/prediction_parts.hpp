// The parts of an encoded prediction. Only the codec (prediction_codec) and the reader (prediction_reader) use them.
// Pure functions; any thread may call them.
#pragma once

#include <cstdint>
#include <optional>

#include "common/domain/prediction.hpp"
#include "ipc/wire.hpp"

namespace yolod::ipc {

enum class PredictionKind : std::uint32_t {
  kDetections = 1,
  kIdentity = 2,
  kClassifications = 3,
  kFile = 4,
  kTensors = 5
};

// Returns whether the file begins with the first bytes of its type. So a compromised worker cannot send another type
// of file.
[[nodiscard]] bool has_magic(const common::EncodedFile& file);

// Reads the name, the type and the shape of a tensor. Returns the size of its bytes, which follow, or nothing if a
// value is invalid. The size follows from the type and the shape, so no size is read that could say otherwise.
[[nodiscard]] std::optional<std::uint64_t> read_tensor_head(Reader& in, common::NamedTensor& tensor);

// Returns whether the list may have one more tensor of this name.
[[nodiscard]] bool may_follow(const common::TensorList& list, const common::NamedTensor& next);

}  // namespace yolod::ipc
