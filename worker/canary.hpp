// The picture that a model must answer rightly before it may serve: what says, at a reload, that new weights are not
// only readable but good.
#pragma once

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/model.hpp"

namespace yolod::worker {

// Shows `model` the config's picture, with the model's own thresholds, and looks for the labels that are expected among
// what it finds (of a classifier, among its top_k). An answer is enough where none is expected. kBadModel, in one line,
// where it fails. Nothing is done where there is no canary.
[[nodiscard]] common::Outcome<void> check_canary(model::Model& model, const common::CanaryConfig& canary);

}  // namespace yolod::worker
