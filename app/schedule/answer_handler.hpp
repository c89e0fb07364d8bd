// Defines the scheduler's answer to a request and the function that receives it. Only the front-end's thread uses
// them.
#pragma once

#include <cstdint>
#include <memory>

#include "common/completion.hpp"
#include "common/domain/description.hpp"
#include "common/domain/prediction.hpp"
#include "common/domain/work_times.hpp"
#include "common/outcome.hpp"

namespace yolod::app::schedule {

struct Answer {
  common::Outcome<common::Prediction> prediction{common::Error{}};
  common::WorkTimes times;
  std::uint32_t queue_us{0};  // from the admission to the last dispatch
  // Describes the model as the answering worker has loaded it. It is null with an Error.
  std::shared_ptr<const common::ModelDescription> model;
};

using AnswerHandler = common::Completion<Answer>;

}  // namespace yolod::app::schedule
