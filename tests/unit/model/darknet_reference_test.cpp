// The networks of the test data against Darknet itself: raw heads, and the lists for photos.
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "model/load_network.hpp"
#include "model/npy.hpp"
#include "model/read_file.hpp"
#include "tests/support/detection_match.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/synthetic_weights.hpp"

using namespace yolod;

namespace {

common::ModelConfig config_of(const std::filesystem::path& cfg, const std::filesystem::path& weights,
                              const std::filesystem::path& names) {
  common::ModelConfig config;
  config.name = cfg.stem().string();
  config.source = common::DarknetSource{cfg, weights, names};
  config.precision = common::Precision::kFp32;
  return config;
}

std::string text(const boost::json::value& object, const char* key) {
  return std::string(object.at(key).as_string().c_str());
}

model::NpyArray load_npy(const std::filesystem::path& file) {
  auto array = model::read_npy(file);
  INFO((array ? std::string() : array.error().message));
  REQUIRE(array.ok());
  return std::move(array).value();
}

// Within 1e-3 + 1e-4 |b|; widths and heights of more than four inputs by their logarithms.
void check_head(const std::filesystem::path& cfg, const std::filesystem::path& weights,
                const std::filesystem::path& input_file, const std::filesystem::path& expected_file) {
  const auto loaded = model::load_network(config_of(cfg, weights, ""), {});
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  auto& network = *loaded->network;
  const auto& shape = network.shape();
  const auto input = load_npy(input_file);
  REQUIRE(input.values.size() == shape.input_count());
  const auto room = network.input(1);
  REQUIRE(room.ok());
  const auto pixels = shape.height * shape.width;
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < shape.channels; ++c) (*room)[i * shape.channels + c] = input.values[c * pixels + i];
  }
  const auto head = network.forward();
  REQUIRE(head.ok());
  const auto expected = load_npy(expected_file);
  REQUIRE(expected.shape == std::vector<std::int64_t>{static_cast<std::int64_t>(shape.candidates),
                                                      static_cast<std::int64_t>(shape.row_length())});
  double worst = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const double a = static_cast<double>(head->values[i]);
    const double b = static_cast<double>(expected.values[i]);
    const auto column = i % shape.row_length();
    const bool huge = (column == 2 && b > 4.0 * static_cast<double>(shape.width)) ||
                      (column == 3 && b > 4.0 * static_cast<double>(shape.height));
    const double off =
        huge ? std::abs(std::log(a) - std::log(b)) / 1e-3 : std::abs(a - b) / (1e-3 + 1e-4 * std::abs(b));
    if (!(off <= worst)) worst = off;
  }
  CHECK(worst <= 1);
}

std::vector<tests::LabelledBox> labelled(const common::DetectionList& list, const std::vector<std::string>& labels) {
  std::vector<tests::LabelledBox> boxes;
  for (const auto& [class_id, confidence, box] : list.detections) {
    boxes.push_back({labels.at(class_id), static_cast<double>(confidence), static_cast<double>(box.x_min),
                     static_cast<double>(box.y_min), static_cast<double>(box.x_max), static_cast<double>(box.y_max)});
  }
  return boxes;
}

std::vector<std::filesystem::path> network_folders(const std::filesystem::path& data) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(data / "darknet")) folders.push_back(entry.path());
  return folders;
}

}  // namespace

TEST_CASE("Darknet: the raw heads of trained networks", "[model][unit][data]") {
  const auto data = tests::test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  for (const auto& folder : network_folders(*data)) {
    INFO(folder.filename());
    const auto description = tests::read_json(folder / "model.json");
    check_head(folder / text(description, "cfg"), folder / text(description, "weights"), folder / "input.npy",
               folder / "expected.npy");
  }
}

TEST_CASE("Darknet: the raw heads of networks with made weights", "[model][unit][data]") {
  const auto data = tests::test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  // Between them: routes of groups, max-pooling of even size without stride, an input that is not square.
  for (const auto* name : {"yolov4-tiny", "yolov3-tiny-224x160"}) {
    INFO(name);
    const auto folder = *data / "synthetic" / name;
    const auto description = tests::read_json(folder / "model.json");
    const auto cfg_text = model::read_file(folder / "net.cfg", model::darknet::kMaxCfgBytes);
    REQUIRE(cfg_text.ok());
    const auto cfg = model::darknet::parse_cfg(*cfg_text, "net.cfg");
    REQUIRE(cfg.ok());
    const auto network = model::darknet::build_network(*cfg, std::nullopt);
    REQUIRE(network.ok());
    const tests::TemporaryDirectory made;
    const auto weights = made.path() / "net.weights";
    tests::write_synthetic_weights(*network, description.at("gain").to_number<double>(), weights);
    REQUIRE(std::filesystem::file_size(weights) == description.at("weights_bytes").to_number<std::uint64_t>());
    check_head(folder / "net.cfg", weights, folder / text(description, "input"), folder / "expected.npy");
  }
}

TEST_CASE("Darknet: the lists for photos", "[model][unit][data]") {
  const auto data = tests::test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  for (const auto& folder : network_folders(*data)) {
    const auto description = tests::read_json(folder / "model.json");
    const auto config = config_of(folder / text(description, "cfg"), folder / text(description, "weights"),
                                  folder / text(description, "names"));
    const auto loaded = model::load_model(config, {});
    INFO((loaded ? std::string() : loaded.error().message));
    REQUIRE(loaded.ok());
    auto& model = **loaded;
    for (const auto& photo : description.at("photos").as_array()) {
      const auto file = text(photo, "file");
      INFO(folder.filename() << " on " << file);
      const auto body = tests::read_file(*data / file);
      const model::Input input{std::as_bytes(std::span<const char>(body)), {}};
      const auto outputs = model.run({&input, 1});
      REQUIRE(outputs.front().prediction.ok());
      const auto& list = std::get<common::DetectionList>(outputs.front().prediction.value());
      const auto found = tests::differences(tests::darknet_objects(photo, list.image_width, list.image_height),
                                            labelled(list, model.description().labels));
      for (const auto& difference : found) UNSCOPED_INFO(difference);
      CHECK(found.empty());
    }
  }
}
