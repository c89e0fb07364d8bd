// Where a scene's traffic lights are.
#pragma once

#include "tools/scenes/plan.hpp"

namespace yolod::scenes {

// Lights with the poles, arms and wires that carry them. Sets the street's junction.
void plan_lights(Plan& plan, Random& random);

}  // namespace yolod::scenes
