// The canary is a picture that a model must answer correctly before it may serve. At a reload it shows that new
// weights are not only readable but also good.
#pragma once

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/model.hpp"

namespace yolod::worker {

// Runs `model` on the config's canary picture with the model's own thresholds and checks that it finds the expected
// labels (a classifier: among its top_k). If the config expects no label, any answer passes. Returns kBadModel with
// one line of text if the check fails. Does nothing if the config has no canary.
[[nodiscard]] common::Outcome<void> check_canary(model::Model& model, const common::CanaryConfig& canary);

}  // namespace yolod::worker
