#include "model/image/opencv.hpp"

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>

namespace yolod::model::image {
namespace {

// OpenCV prints every cv::Exception before it throws it. The catch handler reports the error, so this prints nothing.
int say_nothing(int /*status*/, const char* /*function*/, const char* /*message*/, const char* /*file*/, int /*line*/,
                void* /*data*/) {
  return 0;
}

}  // namespace

void prepare_opencv() {
  static const bool done = [] {
    cv::setNumThreads(1);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    cv::redirectError(say_nothing);
    return true;
  }();
  (void)done;
}

}  // namespace yolod::model::image
