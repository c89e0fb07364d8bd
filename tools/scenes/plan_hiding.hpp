// What hides some of a scene's traffic lights.
#pragma once

#include "tools/scenes/plan.hpp"

namespace yolod::scenes {

// Things that stand before some of the lights and hide a part of each.
void plan_hiding(Plan& plan, Random& random);

}  // namespace yolod::scenes
