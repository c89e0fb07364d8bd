// An answer on its way to the request that waits for it. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "common/completion.hpp"
#include "common/domain/description.hpp"
#include "common/domain/prediction.hpp"
#include "common/domain/work_times.hpp"
#include "common/outcome.hpp"

namespace yolod::app::schedule {

// What the client gets.
struct Answer {
  common::Outcome<common::Prediction> prediction{common::Error{}};
  common::WorkTimes times;
  std::uint32_t queue_us{0};  // from admission to the dispatch that was answered
  // Of the model as the worker that answered had loaded it; null with an Error.
  std::shared_ptr<const common::ModelDescription> model;
};

using AnswerHandler = common::Completion<Answer>;

}  // namespace yolod::app::schedule
