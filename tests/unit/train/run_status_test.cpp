#include "tools/train/run_status.hpp"

#include <catch2/catch.hpp>

using namespace yolod::train;

TEST_CASE("RunStatus: a value that was not measured is a dash", "[train][unit]") {
  CHECK(text_of({}) ==
        "0.0 min, - left  step 0 of -  - images/s  loss -  AP50 -  AP50:95 -  box -  object -  class -  rate 0");
}

TEST_CASE("RunStatus: a measured value is a number, and the most important value comes first", "[train][unit]") {
  RunStatus status;
  status.minutes = 18.25;
  status.minutes_left = 81.66;
  status.step = 1'644;
  status.steps = 9'000;
  status.averages = MovingAverages{{4.1539, 0.38, 1.4034, 0.851}, 31.52};
  status.rate = 0.0018;
  status.ap50 = 0.7051;
  status.ap50_95 = 0.34;
  CHECK(text_of(status) ==
        "18.2 min, 81.7 left  step 1644 of 9000  31.5 images/s  loss 4.154  AP50 0.705  AP50:95 0.340  box 0.380  "
        "object 1.403  class 0.851  rate 0.0018");
  status.steps_are_estimated = true;
  CHECK(text_of(status).find("step 1644 of about 9000") != std::string::npos);
}
