// Tests the code between a network and a GPU, with a fake device.
#include "model/torch/device/forward_pass.hpp"

// This header must come before Catch, because its logging headers also define CHECK.
#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "model/heads/candidates.hpp"
#include "model/tasks/detect_model.hpp"
#include "model/torch/device/candidates_on_device.hpp"
#include "model/torch/device/cpu_device.hpp"
#include "model/torch/device/open_device.hpp"
#if defined(YOLOD_WITH_CUDA)
#include "model/torch/device/cuda_device.hpp"
#endif
#include "model/compiled/torch_network.hpp"
#include "model/sources/compile_network.hpp"
#include "tests/unit/model/fake_device.hpp"
#include "tests/unit/model/tiny_detector.hpp"

namespace yolod::model {
namespace {

using heads::HeadLayout;
using tests::FakeDevice;

constexpr NetworkShape kShape{3, 2, 4, 0, 0};

// Returns a pass that doubles its input. The fake device counts the pass.
ForwardPass doubling(const std::shared_ptr<FakeDevice>& device, std::vector<std::string>* losses = nullptr) {
  return {{device,
           [losses](const std::string& why) {
             if (losses != nullptr) losses->push_back(why);
           }},
          [device](const at::Tensor& images) {
            device->compute_with(images.size(0));
            return images.flatten(1) * 2;
          }};
}

// Fills image i with the value i + 1.
std::unique_ptr<NetworkInput> filled(ForwardPass& pass, std::size_t images, const NetworkShape& shape = kShape) {
  auto input = pass.new_input(shape, images);
  REQUIRE(input.ok());
  const auto values = (*input)->values();
  REQUIRE(values.size() == images * shape.input_count());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(1 + i / shape.input_count());
  return std::move(input).value();
}

void check_doubled(const RawHead& head, std::size_t images) {
  REQUIRE(head.images() == images);
  for (std::size_t i = 0; i < images; ++i) {
    const auto image = head.image(i);
    REQUIRE(image.size() == kShape.input_count());
    CHECK(std::all_of(image.begin(), image.end(), [&](float value) { return value == 2 * static_cast<float>(i + 1); }));
  }
}

RawHead run(ForwardPass& pass, NetworkInput& input, std::size_t images) {
  const auto head = pass.run(input, images, {}, HeadLayout::kByObjectness);
  INFO((head ? std::string() : head.error().message));
  REQUIRE(head.ok());
  return head.value();
}

// Returns random heads: [images, candidates, 5 + classes], or the layout with class scores.
at::Tensor noise_head(HeadLayout layout) {
  at::manual_seed(7);
  return layout == HeadLayout::kByScores ? at::rand({3, 4 + 6, 40}) : at::rand({3, 40, 5 + 6});
}

std::vector<heads::Candidate> select(HeadLayout layout, std::span<const float> image, float confidence) {
  const heads::Selection selection{confidence, true, {}};
  if (layout == HeadLayout::kByScores) return heads::select_by_scores(image, image.size() / 10, {}, selection);
  return heads::select_candidates(image, 11, {}, selection);
}

void check_same(const std::vector<heads::Candidate>& actual, const std::vector<heads::Candidate>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    CHECK(actual[i].confidence == expected[i].confidence);
    CHECK(actual[i].class_id == expected[i].class_id);
    CHECK(actual[i].box.x == expected[i].box.x);
    CHECK(actual[i].box.height == expected[i].box.height);
  }
}

}  // namespace

TEST_CASE("ForwardPass: images keep their order", "[model][unit]") {
  const auto device = std::make_shared<FakeDevice>();
  auto pass = doubling(device);
  const auto input = filled(pass, 3);
  check_doubled(run(pass, *input, 3), 3);
  check_doubled(run(pass, *input, 2), 2);  // the first two images
}

TEST_CASE("ForwardPass: a released input is reused, an input in use is not", "[model][unit]") {
  const auto device = std::make_shared<FakeDevice>();
  auto pass = doubling(device);
  auto computed = filled(pass, 4);
  auto decoded = filled(pass, 4);
  CHECK(computed->values().data() != decoded->values().data());
  for (int batch = 0; batch < 10; ++batch) {
    computed.reset();
    std::swap(computed, decoded);
    decoded = filled(pass, 1 + static_cast<std::size_t>(batch) % 4);
  }
  CHECK(device->host_allocations == 2);
}

TEST_CASE("ForwardPass: an input may outlive its network", "[model][unit]") {
  const auto device = std::make_shared<FakeDevice>();
  std::unique_ptr<ForwardPass> pass(new ForwardPass(doubling(device)));
  const auto input = filled(*pass, 2);
  pass.reset();
  CHECK(input->values().back() == 2);
}

TEST_CASE("ForwardPass: candidates below their image's threshold stay on the device", "[model][unit]") {
  const auto layout = GENERATE(HeadLayout::kByObjectness, HeadLayout::kByScores);
  const auto head = noise_head(layout);
  const std::vector<float> thresholds{0.9F, 1.0F, 0.0F};  // few, none and all candidates
  const auto few = keep_above(head, thresholds, layout);
  REQUIRE(few.offsets.size() == 4);
  CHECK(few.offsets[1] == few.offsets[2]);
  CHECK(few.offsets[1] < static_cast<std::size_t>(head[0].numel()));
  CHECK(few.offsets[3] == static_cast<std::size_t>(few.values.numel()));
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const auto whole = head[i].contiguous();
    const std::span<const float> all(whole.data_ptr<float>(), static_cast<std::size_t>(whole.numel()));
    const std::span<const float> kept(few.values.data_ptr<float>() + few.offsets[index],
                                      few.offsets[index + 1] - few.offsets[index]);
    check_same(select(layout, kept, thresholds[index]), select(layout, all, thresholds[index]));
  }
}

TEST_CASE("ForwardPass: a head is copied whole if the batch has no thresholds or the candidates are final",
          "[model][unit]") {
  const auto device = std::make_shared<FakeDevice>();
  const auto head = at::rand({2, 5, 6});
  ForwardPass pass({device, {}}, [&](const at::Tensor&) { return head; });
  const auto input = filled(pass, 2);
  const std::vector<float> thresholds{0.5F, 0.5F};
  const auto whole = pass.run(*input, 2, {}, HeadLayout::kByObjectness);
  REQUIRE(whole.ok());
  CHECK(whole->sides == std::vector<std::size_t>{2, 5, 6});
  const auto final_boxes = pass.run(*input, 2, thresholds, HeadLayout::kFinal);
  REQUIRE(final_boxes.ok());
  CHECK(final_boxes->sides == std::vector<std::size_t>{2, 5, 6});
  const auto thresholded = pass.run(*input, 2, thresholds, HeadLayout::kByObjectness);
  REQUIRE(thresholded.ok());
  CHECK(thresholded->values.size() < 2 * 5 * 6);
}

TEST_CASE("ForwardPass: a batch that exceeds the memory is run in parts", "[model][unit]") {
  const auto device = std::make_shared<FakeDevice>();
  auto pass = doubling(device);
  const auto input = filled(pass, 7);
  device->most_images = 2;
  check_doubled(run(pass, *input, 7), 7);
  CHECK(device->passes == 2 + 4);  // 7 and 4 images exceed the memory
  CHECK(device->frees == 2);
  // The pass remembers the size that failed and does not try it again at once.
  device->largest = 0;
  check_doubled(run(pass, *input, 7), 7);
  CHECK(device->largest == 2);
  CHECK(device->frees == 2);
}

// LibTorch's interpreter runs the operators of a network, and it changes the type of their exceptions.
TEST_CASE("ForwardPass: an out-of-memory error inside a module is recognized", "[model][unit]") {
  CompiledNetwork compiled;
  compiled.source =
      "def forward(self, x: Tensor) -> Tensor:\n"
      "  assert x.size(0) <= 2, \"CUDA out of memory. Tried to allocate 20.00 MiB\"\n"
      "  return torch.reshape(x, [-1, 1, 6])\n";
  compiled.channels = 3;
  compiled.height = 1;
  compiled.width = 2;
  compiled.candidates = compiled.classes = 1;
  std::vector<CompiledNetwork> sizes;
  sizes.push_back(std::move(compiled));
  const auto device = std::make_shared<FakeDevice>();
  const auto networks = TorchNetwork::load_sizes(std::move(sizes), common::Precision::kFp32, 1, {device, {}});
  INFO((networks ? std::string() : networks.error().message));
  REQUIRE(networks.ok());
  auto& network = *networks->front();
  const auto input = network.new_input(5);
  REQUIRE(input.ok());
  const auto head = network.forward(**input, 5, {});
  INFO((head ? std::string() : head.error().message));
  REQUIRE(head.ok());
  CHECK(head->images() == 5);
  CHECK(device->frees == 2);  // 5 and 3 images exceed the memory
}

TEST_CASE("ForwardPass: a batch in parts has the same thresholds as a whole batch", "[model][unit]") {
  const auto layout = GENERATE(HeadLayout::kByObjectness, HeadLayout::kByScores);
  const auto device = std::make_shared<FakeDevice>();
  const auto head = noise_head(layout);
  std::int64_t first = 0;
  ForwardPass pass({device, {}}, [&](const at::Tensor& images) {
    device->compute_with(images.size(0));
    const auto part = head.narrow(0, first, images.size(0));
    first += images.size(0);
    return part;
  });
  const auto input = filled(pass, 3);
  device->most_images = 1;
  const std::vector<float> thresholds{0.9F, 0.5F, 0.75F};
  const auto in_parts = pass.run(*input, 3, thresholds, layout);
  INFO((in_parts ? std::string() : in_parts.error().message));
  REQUIRE(in_parts.ok());
  const auto at_once = keep_above(head, thresholds, layout);
  CHECK(in_parts->offsets == at_once.offsets);
  CHECK(std::equal(in_parts->values.begin(), in_parts->values.end(), at_once.values.data_ptr<float>()));
}

TEST_CASE("ForwardPass: too little memory for one image fails the request, and the device is not reported as lost",
          "[model][unit]") {
  const auto device = std::make_shared<FakeDevice>();
  std::vector<std::string> losses;
  auto pass = doubling(device, &losses);
  const auto input = filled(pass, 2);
  device->most_images = 0;
  const auto head = pass.run(*input, 2, {}, HeadLayout::kByObjectness);
  REQUIRE_FALSE(head.ok());
  CHECK(head.error().code == common::ErrorCode::kInternal);
  CHECK_THAT(head.error().message, Catch::Contains("no memory on fake:0"));
  CHECK(losses.empty());
  device->most_images = 2;
  check_doubled(run(pass, *input, 2), 2);
}

TEST_CASE("ForwardPass: after a failure the pass asks the device whether it still computes", "[model][unit]") {
  const auto device = std::make_shared<FakeDevice>();
  std::vector<std::string> losses;
  bool fails = true;
  ForwardPass pass({device, [&](const std::string& why) { losses.push_back(why); }}, [&](const at::Tensor& images) {
    TORCH_CHECK(!fails, "CUDA error: an illegal memory access was encountered");
    return images;
  });
  const auto input = filled(pass, 1);
  CHECK_FALSE(pass.run(*input, 1, {}, HeadLayout::kByObjectness).ok());
  CHECK(losses.empty());
  device->lost = true;
  CHECK_FALSE(pass.run(*input, 1, {}, HeadLayout::kByObjectness).ok());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0] == "fake:0 does not compute any more: CUDA error: an illegal memory access was encountered");
  device->lost = fails = false;
  CHECK(pass.run(*input, 1, {}, HeadLayout::kByObjectness).ok());
}

TEST_CASE("ForwardPass: a repeated batch size uses a graph if the graph is faster", "[model][unit]") {
  const bool pays = GENERATE(true, false);
  const auto device = std::make_shared<FakeDevice>();
  device->records = true;
  ForwardPass pass({device, {}}, [&](const at::Tensor& images) {
    device->compute_with(images.size(0));
    if (device->replaying != pays) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return images.flatten(1) * 2;
  });
  {
    const auto input = filled(pass, 2);
    pass.prepare(*input, 2);
  }
  device->replays = 0;
  // A replay must use the new input, not the input of the recording.
  const auto input = filled(pass, 3);
  check_doubled(run(pass, *input, 2), 2);
  CHECK(device->replays == (pays ? 1 : 0));
  input->values()[0] = 21;
  CHECK(run(pass, *input, 2).values[0] == 42);
  check_doubled(run(pass, *filled(pass, 3), 3), 3);  // no graph exists for this size
  CHECK(device->replays == (pays ? 2 : 0));
}

TEST_CASE("ForwardPass: a network that cannot be recorded runs operator by operator", "[model][unit]") {
  const auto device = std::make_shared<FakeDevice>();
  auto pass = doubling(device);
  const auto input = filled(pass, 2);
  pass.prepare(*input, 2);
  check_doubled(run(pass, *input, 2), 2);
  CHECK(device->replays == 0);
}

TEST_CASE("Device: the error for an invalid or unavailable device name is clear", "[model][unit]") {
  CHECK(open_device("cpu", 0).value()->name() == "cpu");
  for (const std::string name : {"", "gpu", "cuda", "cuda:", "cuda:-1", "cuda:1x", "cuda:99999999999", "CPU"}) {
    CAPTURE(name);
    const auto device = open_device(name, 0);
    REQUIRE_FALSE(device.ok());
    CHECK(device.error().code == common::ErrorCode::kBadModel);
  }
#if !defined(YOLOD_WITH_CUDA)
  CHECK(open_device("auto", 3).value()->name() == "cpu");
  const auto device = open_device("cuda:0", 0);
  REQUIRE_FALSE(device.ok());
  CHECK(device.error().message == "device cuda:0: this yolod is built without CUDA, only auto and cpu are supported");
#endif
}

TEST_CASE("Device: a detector finds the same boxes on any device as on the CPU, whatever the device's memory",
          "[model][unit][skips]") {
  const tests::TinyDetector tiny;
  const auto& config = tiny.config;
  std::vector<std::string> pictures;
  for (int i = 0; i < 4; ++i) {
    std::string picture = "P6 4 4 255\n";
    for (int pixel = 0; pixel < 16; ++pixel) picture += {static_cast<char>((pixel >> i) % 2 * 255), 0, 0};
    pictures.push_back(picture);
  }
  pictures.insert(pictures.begin() + 1, "no picture");

  const auto answers = [&](const std::shared_ptr<Device>& device) {
    auto compiled = compile_network(config);
    REQUIRE(compiled.ok());
    std::vector<CompiledNetwork> sizes;
    sizes.push_back(std::move(compiled->network));
    auto networks = TorchNetwork::load_sizes(std::move(sizes), common::Precision::kFp32, 1, {device, {}});
    REQUIRE(networks.ok());
    auto model = make_detect_model(config, {std::move(networks->front()), compiled->rules, compiled->labels});
    REQUIRE(model.ok());
    REQUIRE((*model)->warm_up(std::array<std::size_t, 2>{1, config.batch.size_limit()}).ok());
    CHECK((*model)->description().device == device->name());
    std::vector<Input> inputs;
    for (const auto& picture : pictures) {
      inputs.push_back({std::as_bytes(std::span(picture)), {}});
      inputs.back().options.confidence = 0.1F * static_cast<float>(inputs.size());
    }
    std::vector<std::string> found;
    for (const auto& output : (*model)->run(inputs)) {
      if (!output.prediction.ok()) {
        found.push_back(output.prediction.error().message);
        continue;
      }
      std::string boxes;
      for (const auto& one : std::get<common::DetectionList>(*output.prediction).detections) {
        for (const float value : {one.confidence, one.box.x_min, one.box.y_max}) {
          boxes += std::to_string(std::lround(1e3F * value)) + " ";
        }
        boxes += std::to_string(one.class_id) + "\n";
      }
      found.push_back(boxes);
    }
    return found;
  };
  const auto expected = answers(cpu_device());
  REQUIRE(expected.size() == 5);
  CHECK(expected[1].find("image") != std::string::npos);
  CHECK(std::count(expected[2].begin(), expected[2].end(), '\n') == 4);  // two cells with two classes each
  const auto device = std::make_shared<FakeDevice>();
  device->records = GENERATE(false, true);
  CHECK(answers(device) == expected);
#if defined(YOLOD_WITH_CUDA)
  if (cuda_device_count() == 0) {
    WARN("SKIPPED: no CUDA device answers");
    return;
  }
  CHECK(answers(open_device("cuda:0", 0).value()) == expected);
#endif
}

}  // namespace yolod::model
