// Lists the served models that detect, for protocols whose clients ask for them. Only the front-end's thread may call
// it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "app/serving/models.hpp"
#include "app/serving/status.hpp"

namespace yolod::app::api {

// Names that clients of a protocol use, and the models that they mean.
using Aliases = std::map<std::string, std::string, std::less<>>;
using Detectors = std::map<std::string, std::shared_ptr<serving::ServedModel>, std::less<>>;

// Returns the models with task: detect, by name, and by each alias of one of them.
[[nodiscard]] Detectors detectors_of(const serving::ServerStatus& status, const serving::Models& models,
                                     const Aliases& aliases);

}  // namespace yolod::app::api
