// What every failure to load a model is.
#pragma once

#include <string>
#include <utility>

#include "common/error.hpp"

namespace yolod::model {

// An Error of kBadModel with `message`.
[[nodiscard]] inline common::Error bad_model(std::string message) {
  return {common::ErrorCode::kBadModel, std::move(message)};
}

}  // namespace yolod::model
