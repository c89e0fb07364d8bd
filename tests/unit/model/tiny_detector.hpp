// A detector that is small enough to compute by hand.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/config/model_config.hpp"
#include "model/load/load_model.hpp"
#include "model/model.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

// The network has 4 x 4 input pixels and a head of 2 x 2 cells. Objectness follows the red value of a cell's upper
// left pixel: sigmoid(20 r - 10). Boxes are 2 x 2 pixels in the middle of their cell. Each class has the score
// sigmoid(3).
class TinyDetector {
 public:
  explicit TinyDetector(const std::string& net = "") {
    const auto cfg = folder_.write("a.cfg", "[net]\nwidth=4\nheight=4\n" + net +
                                                "[convolutional]\nfilters=7\nsize=1\nstride=2\nactivation=linear\n"
                                                "[yolo]\nclasses=2\nnum=1\nmask=0\nanchors=2,2\n");
    std::string weights(20, '\0');
    weights[4] = 2;
    std::vector<float> values{0, 0, 0, 0, -10, 3, 3};
    values.resize(7 + 7 * 3);
    values[7 + 4 * 3] = 20;
    weights.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    config.name = "tiny";
    config.source =
        common::DarknetSource{cfg, folder_.write("a.weights", weights), folder_.write("a.names", "dog\ncat\n")};
    config.precision = common::Precision::kFp32;
    config.batch.max_size = 4;
  }

  [[nodiscard]] std::unique_ptr<model::Model> load() const {
    auto loaded = model::load_model(config, {});
    INFO((loaded ? std::string() : loaded.error().message));
    REQUIRE(loaded.ok());
    return std::move(loaded).value();
  }

  common::ModelConfig config;

 private:
  TemporaryDirectory folder_;
};

}  // namespace yolod::tests
