// Prepares OpenCV, which only draws boxes and texts (annotate).
#pragma once

namespace yolod::model::image {

// Limits OpenCV to one thread and keeps its messages out of stderr. Call it once per process, before any other OpenCV
// function; later calls have no effect.
void prepare_opencv();

}  // namespace yolod::model::image
