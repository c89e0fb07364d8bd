// Plans the positions of a scene's traffic lights.
#pragma once

#include "tools/scenes/plan.hpp"

namespace yolod::scenes {

// Adds lights with the poles, arms and wires that carry them, and sets the street's junction.
void plan_lights(Plan& plan, Random& random);

}  // namespace yolod::scenes
