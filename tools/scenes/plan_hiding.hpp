// Plans the objects that hide some of a scene's traffic lights.
#pragma once

#include "tools/scenes/plan.hpp"

namespace yolod::scenes {

// Adds objects that stand in front of some lights and hide a part of each.
void plan_hiding(Plan& plan, Random& random);

}  // namespace yolod::scenes
