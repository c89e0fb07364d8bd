// Makes the Error that every failure to load a model returns.
#pragma once

#include <string>
#include <utility>

#include "common/error.hpp"

namespace yolod::model {

[[nodiscard]] inline common::Error bad_model(std::string message) {
  return {common::ErrorCode::kBadModel, std::move(message)};
}

}  // namespace yolod::model
