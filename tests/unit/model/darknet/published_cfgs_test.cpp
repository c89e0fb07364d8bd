// Reads every cfg that AlexeyAB and pjreddie publish. The reader either accepts the cfg and counts as many
// operations as Darknet, or refuses it for a known reason.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/darknet/operations.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod;
using Catch::Matchers::Contains;

namespace {

// Each pair is a file from either collection and a part of the expected error message. All other files must be read.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kRefused{{
    {"crnn.train.cfg", "[net]: time_steps: recurrent networks are not supported"},
    {"darknet53_448_xnor.cfg", "[convolutional]: xnor: networks with binary weights (XNOR) are not supported"},
    {"darknet9000.cfg", "[softmax]: tree: hierarchies of classes (darknet9000) are not supported"},
    {"pjreddie-darknet/go.cfg", "[reorg]: extra"},
    {"pjreddie-darknet/go.test.cfg", "[reorg]: extra"},
    {"AlexeyAB-darknet/go.test.cfg", "[softmax]: its input is a map of 19 x 19 x 1, but only a vector of classes"},
    {"gru.cfg", "[net]: inputs: networks on plain vectors"},
    {"lstm.train.cfg", "[net]: time_steps: recurrent networks are not supported"},
    {"/rnn.cfg", "[net]: inputs: networks on plain vectors"},
    {"rnn.train.cfg", "[net]: time_steps: recurrent networks are not supported"},
    {"tiny-yolo_xnor.cfg", "XNOR"},
    {"yolo9000.cfg", "[region]: tree: hierarchies of classes (YOLO9000) are not supported"},
    {"yolov3-tiny_occlusion_track.cfg", "[net]: time_steps: recurrent networks are not supported"},
    {"yolov3-tiny_xnor.cfg", "XNOR"},
}};

std::string_view reason_to_refuse(std::string_view file) {
  const auto* found =
      std::find_if(kRefused.begin(), kRefused.end(), [file](const auto& entry) { return file.ends_with(entry.first); });
  return found == kRefused.end() ? std::string_view() : found->second;
}

// Darknet does not know these keys either.
std::vector<std::string> unread_keys(std::string_view file) {
  if (file.ends_with("Gaussian_yolov3_BDD.cfg")) return {"max_epochs"};
  if (file.ends_with("writing.cfg")) return {"seen"};
  if (file.ends_with("yolov4-sam-mish-csp-reorg-bfm.cfg")) return {"beta1", "beta1", "beta1"};
  return {};
}

// Extracts the keys from the warnings, which look like "a.cfg:24: [net]: max_epochs is not known ...".
std::vector<std::string> keys_passed_over(const model::darknet::Network& network) {
  constexpr std::string_view kBefore = "]: ";
  std::vector<std::string> keys;
  for (const auto& warning : network.warnings) {
    const auto begin = warning.find(kBefore) + kBefore.size();
    keys.push_back(warning.substr(begin, warning.find(' ', begin) - begin));
  }
  return keys;
}

}  // namespace

TEST_CASE("Darknet: every published cfg is read with Darknet's count of operations, or refused for a known reason",
          "[model][unit][data][skips]") {
  const auto data = tests::test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  std::istringstream table(tests::read_file(*data / "cfg" / "bflops.tsv"));
  std::string line;
  std::getline(table, line);  // the heading
  int files = 0;
  while (std::getline(table, line)) {
    const auto file = line.substr(0, line.find('\t'));
    // The count is absent where Darknet cannot build the network.
    const double printed = std::atof(line.substr(file.size()).c_str());
    ++files;
    const auto network = tests::build(tests::read_file(*data / "cfg" / file));
    INFO(file << ": " << (network ? std::string() : network.error().message));
    const auto reason = reason_to_refuse(file);
    REQUIRE(network.ok() == reason.empty());
    if (!network) {
      CHECK_THAT(network.error().message, Contains("a.cfg:") && Contains(std::string(reason)));
    } else if (printed > 0) {
      // The counts agree to the digits that Darknet prints.
      CHECK(model::darknet::bflops(*network) == Approx(printed).epsilon(1e-4).margin(6e-4));
    }
    if (network) CHECK(keys_passed_over(*network) == unread_keys(file));
  }
  CHECK(files == 132);
}
