// OpenCV, which draws boxes and texts (annotate) and nothing else.
#pragma once

namespace yolod::model::image {

// Keeps OpenCV to one thread and its messages out of stderr. Once per process, before OpenCV is called first; later
// calls change nothing.
void prepare_opencv();

}  // namespace yolod::model::image
