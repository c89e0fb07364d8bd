// NumPy's .npz files, which are zip archives of .npy files: several tensors in one body. Read as numpy.savez writes
// them, uncompressed: numpy.savez_compressed's are refused, so that no body grows in memory.
//
// The format: PKWARE's APPNOTE.TXT, 4.3. Written without zip64: a body is far below the sizes that it is
// for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/domain/tensor.hpp"
#include "common/outcome.hpp"
#include "model/files/npy.hpp"

namespace yolod::model {

using common::NamedTensor;  // its name is the entry's, without ".npy"

[[nodiscard]] bool is_npz(std::string_view bytes);

// In the archive's order, no name twice. Any bytes are safe to pass: no more is allocated than there are. An Error is
// kInvalidParameter.
[[nodiscard]] common::Outcome<std::vector<NamedTensor>> parse_npz(std::string_view bytes);

// The file's bytes, which are less than 4 GiB.
[[nodiscard]] std::string to_npz(std::span<const NamedTensor> tensors);

}  // namespace yolod::model
