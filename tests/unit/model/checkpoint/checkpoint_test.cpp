#include "model/checkpoint/checkpoint.hpp"

#include <catch2/catch.hpp>
#include <cstring>

#include "model/checkpoint/network_weights.hpp"
#include "model/sources/darknet_files.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/checkpoint_files.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod::model::checkpoint;
using namespace yolod::tests;
using namespace std::string_literals;
using Catch::Matchers::Contains;

namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string float_bytes(std::initializer_list<float> values) {
  std::string bytes;
  for (const float value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

std::string zipped(const std::string& pickle, Entries storages) {
  storages.insert(storages.begin(), {"a/data.pkl", pickle});
  return stored_zip(storages);
}

// Returns the error from opening the file, or from reading its tensor "t".
std::string checkpoint_problem(const std::string& bytes) {
  const TemporaryDirectory folder;
  auto checkpoint = Checkpoint::open(folder.write("a.pt", bytes));
  if (!checkpoint) {
    CHECK(checkpoint.error().message.find('\n') == std::string::npos);
    return checkpoint.error().message;
  }
  const auto found = checkpoint.value().tensors().find("t");
  REQUIRE(found != checkpoint.value().tensors().end());
  const auto values = checkpoint.value().values("t", found->second);
  return values ? "" : values.error().message;
}

std::vector<float> values_of(const std::string& bytes) {
  const TemporaryDirectory folder;
  auto checkpoint = Checkpoint::open(folder.write("a.pt", bytes));
  INFO((checkpoint ? std::string() : checkpoint.error().message));
  REQUIRE(checkpoint.ok());
  auto values = checkpoint.value().values("t", checkpoint.value().tensors().at("t"));
  INFO((values ? std::string() : values.error().message));
  REQUIRE(values.ok());
  return std::move(values).value();
}

const std::string kSix = float_bytes({0, 1, 2, 3, 4, 5});
const std::string kTwoByThree = integer(2) + integer(3);

std::string with_tensor(const std::string& pickled_tensor, const std::string& storage = kSix) {
  return zipped(model_pickle(text("t") + pickled_tensor), {{"a/data/0", storage}});
}

const std::string kLegacyHead = "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02M\xE9\x03."s;

std::string legacy(const std::string& pickle, const std::string& keys, const std::string& storages) {
  return kLegacyHead + pickled("}(" + text("little_endian") + "\x88u") + pickle + pickled("](" + keys + "e") + storages;
}

}  // namespace

TEST_CASE("Checkpoint: tensors are read in order, transposed, and from the middle of a storage", "[model][unit]") {
  CHECK(values_of(with_tensor(tensor("0", 6, 0, kTwoByThree, integer(3) + integer(1)))) ==
        std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(values_of(with_tensor(tensor("0", 6, 0, kTwoByThree, integer(1) + integer(2)))) ==
        std::vector<float>{0, 2, 4, 1, 3, 5});
  CHECK(values_of(with_tensor(tensor("0", 6, 4, integer(2), integer(1)))) == std::vector<float>{4, 5});
  CHECK(values_of(with_tensor(tensor("0", 6, 5, "", ""))) == std::vector<float>{5});
  CHECK(values_of(with_tensor(tensor("0", 6, 0, integer(0), integer(1)))).empty());
  const auto parameter =
      global("torch._utils", "_rebuild_parameter") +
      tuple(tensor("0", 6, 0, integer(1), integer(1)) + "\x88" + global("collections", "OrderedDict") + ")R") + "R";
  CHECK(values_of(with_tensor(parameter)) == std::vector<float>{0});
}

TEST_CASE("Checkpoint: every type of number becomes float", "[model][unit]") {
  const auto one = [](const char* type, const std::string& bytes) {
    return values_of(with_tensor(tensor("0", 1, 0, integer(1), integer(1), type), bytes)).at(0);
  };
  const double third = 1.0 / 3;
  CHECK(one("DoubleStorage", std::string(reinterpret_cast<const char*>(&third), 8)) == Approx(third));
  CHECK(one("HalfStorage", little(0x3555, 2)) == Approx(third).epsilon(1e-3));
  CHECK(one("HalfStorage", little(0xC000, 2)) == -2);
  CHECK(one("HalfStorage", little(0x8001, 2)) == -0x1p-24F);
  CHECK(std::isinf(one("HalfStorage", little(0x7C00, 2))));
  CHECK(one("BFloat16Storage", little(0x3FC0, 2)) == 1.5F);
  CHECK(one("LongStorage", little(static_cast<std::uint64_t>(-3), 8)) == -3);
  CHECK(one("IntStorage", little(0xFFFFFFFE, 4)) == -2);
  CHECK(one("ShortStorage", little(0xFFFF, 2)) == -1);
  CHECK(one("CharStorage", "\xFF") == -1);
  CHECK(one("ByteStorage", "\xFF") == 255);
  CHECK(one("BoolStorage", "\x01") == 1);
  CHECK(one("BoolStorage", "\x02") == 1);  // any byte but 0 is true, as in NumPy
}

TEST_CASE("Checkpoint: the state dict may lie under a known key or at the top of the file", "[model][unit]") {
  const auto item = text("t") + tensor("0", 6, 0, integer(1), integer(1));
  const auto opened = [](const std::string& pickle) {
    return checkpoint_problem(zipped(pickle, {{"a/data/0", kSix}}));
  };
  CHECK(opened(pickled("}(" + item + "u")).empty());
  CHECK(
      opened(pickled("}(" + text("epoch") + "K\x01" + text("model") + "N" + text("ema") + "}(" + item + "uu")).empty());
  CHECK(opened(pickled("}(" + text("state_dict") + global("collections", "OrderedDict") + ")R(" + item + "u}bu"))
            .empty());
  CHECK(opened(model_pickle(text("module.t") + tensor("0", 6, 0, integer(1), integer(1)))).empty());
  CHECK_THAT(opened(pickled("}")), Contains("a.pt: it holds no state dict"));
  CHECK_THAT(opened(pickled("K\x01")), Contains("holds no state dict"));
  CHECK_THAT(opened(model_pickle(text("t") + "K\x01")), Contains("\"t\" in its state dict is no tensor"));
  CHECK_THAT(opened(model_pickle("K\x01K\x02")), Contains("a key that is no text"));
}

TEST_CASE("Checkpoint: a whole pickled module is refused, and the error says what to save instead", "[model][unit]") {
  const auto module = pickled("}" + text("model") + global("models", "Darknet") + ")\x81}bs");
  CHECK_THAT(checkpoint_problem(zipped(module, {})),
             Contains("a.pt: it needs the Python object models.Darknet") && Contains("model.state_dict()"));
}

TEST_CASE("Checkpoint: a tensor that exceeds its storage or the file is refused", "[model][unit]") {
  const auto problem = [](std::int32_t offset, const std::string& shape, const std::string& strides) {
    return checkpoint_problem(with_tensor(tensor("0", 6, offset, shape, strides)));
  };
  const auto big = integer(0x7FFFFFFF);
  CHECK_THAT(problem(0, integer(7), integer(1)), Contains("t reaches past the end of its storage"));
  CHECK_THAT(problem(1, integer(6), integer(1)), Contains("past the end"));
  CHECK_THAT(problem(7, integer(0), integer(1)), Contains("past the end"));
  CHECK_THAT(problem(0, integer(2), big), Contains("past the end"));
  CHECK_THAT(problem(0, big + big + big, big + big + big), Contains("past the end"));
  CHECK_THAT(problem(0, big, integer(0)), Contains("more than once"));
  CHECK_THAT(problem(-1, integer(1), integer(1)), Contains("no tensor"));
  CHECK_THAT(problem(0, integer(-1), integer(1)), Contains("no tensor"));
  CHECK_THAT(problem(0, integer(1), ""), Contains("no tensor"));
  CHECK_THAT(
      problem(0, "K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01", "K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01"),
      Contains("no tensor"));
  CHECK_THAT(checkpoint_problem(zipped(model_pickle(text("t") + tensor("1", 6, 0, integer(1), integer(1))), {})),
             Contains("the values of t are missing in the file"));
}

TEST_CASE("Checkpoint: the total size of all tensors is limited, although they may share the same bytes",
          "[model][unit]") {
  const auto whole = tensor("0", 3000, 0, integer(3000), integer(1));
  const TemporaryDirectory folder;
  const auto file = folder.write("a.pt", with_tensor(whole, std::string(12'000, '\0')));
  auto checkpoint = Checkpoint::open(file);
  REQUIRE(checkpoint.ok());
  const auto& found = checkpoint.value().tensors().at("t");
  CHECK(checkpoint.value().values("t", found).ok());
  CHECK_THAT(checkpoint.value().values("t", found).error().message, Contains("its tensors overlap"));
}

TEST_CASE("Checkpoint: a wrong checksum is an error, and a checksum of 0 is ignored", "[model][unit]") {
  auto bytes = with_tensor(tensor("0", 6, 0, integer(6), integer(1)));
  CHECK(checkpoint_problem(bytes).empty());
  bytes[bytes.rfind("PK\x01\x02") + 16] = 1;
  CHECK_THAT(checkpoint_problem(bytes), Contains("damaged: their checksum is wrong"));
}

TEST_CASE("Checkpoint: the format from before zip files is read", "[model][unit]") {
  const auto pickle = model_pickle(text("t") + tensor("k", 2, 0, integer(2), integer(1)) + text("u") +
                                   tensor("l", 1, 0, integer(1), integer(1), "LongStorage"));
  const auto keys = text("l") + text("k");
  const auto storages = little(1, 8) + little(9, 8) + little(2, 8) + float_bytes({1.5F, 2.5F});
  CHECK(values_of(legacy(pickle, keys, storages)) == std::vector<float>{1.5F, 2.5F});
  CHECK_THAT(checkpoint_problem(legacy(pickle, keys, storages.substr(0, 30))), Contains("cut short"));
  CHECK_THAT(checkpoint_problem(legacy(pickle, keys, storages.substr(0, 20))), Contains("cut short"));
  CHECK_THAT(checkpoint_problem(legacy(pickle, keys, little(3, 8) + storages)), Contains("another size"));
  CHECK_THAT(checkpoint_problem(legacy(pickle, text("x"), storages)), Contains("no tensor uses"));
  CHECK_THAT(checkpoint_problem(legacy(pickle, "", storages)), Contains("the values of t are missing in the file"));
  CHECK_THAT(checkpoint_problem(kLegacyHead + pickled("}(" + text("little_endian") + "\x89u") + pickle + pickled("]")),
             Contains("not little-endian"));
  CHECK_THAT(checkpoint_problem(kLegacyHead.substr(0, 15) + "\x80\x02K\x01." + pickled("}") + pickle + pickled("]")),
             Contains("unknown version"));
  CHECK_THAT(checkpoint_problem(kLegacyHead), Contains("cut short"));
}

TEST_CASE("Checkpoint: a view begins at its own offset in the storage", "[model][unit]") {
  const auto view = tuple(text("v") + integer(1) + integer(2));
  const auto storage =
      tuple(text("storage") + global("torch", "FloatStorage") + text("k") + text("cpu") + integer(3) + view) + "Q";
  const auto viewed = global("torch._utils", "_rebuild_tensor_v2") +
                      tuple(storage + integer(1) + tuple(integer(1)) + tuple(integer(1)) + "\x89N") + "R";
  CHECK(values_of(legacy(model_pickle(text("t") + viewed), text("k"), little(3, 8) + float_bytes({7, 8, 9}))) ==
        std::vector<float>{9});
}

TEST_CASE("Checkpoint: the error for another kind of file names that kind", "[model][unit]") {
  CHECK_THAT(checkpoint_problem("hello"), Contains("not a PyTorch checkpoint"));
  CHECK_THAT(checkpoint_problem(""), Contains("not a PyTorch checkpoint"));
  CHECK_THAT(checkpoint_problem(stored_zip({{"a.txt", "hello"}})), Contains("without a data.pkl"));
  CHECK_THAT(checkpoint_problem(zipped("", {{"a/constants.pkl", ""}})), Contains("a TorchScript file"));
  CHECK_THAT(checkpoint_problem(zipped("", {{"a/byteorder", "big"}})), Contains("not little-endian"));
  CHECK_THAT(Checkpoint::open("/nonexistent.pt").error().message, Contains("/nonexistent.pt: no such file"));
  CHECK_THAT(Checkpoint::open("/dev/zero").error().message, Contains("not a regular file"));
  const TemporaryDirectory folder;
  CHECK(is_checkpoint(folder.write("a.pt", stored_zip({{"a", ""}}))));
  CHECK(is_checkpoint(folder.write("a.pt", kLegacyHead)));
  CHECK_FALSE(is_checkpoint(folder.write("a.pt", "PK")));
  CHECK_FALSE(is_checkpoint(folder.write("a.pt", little(0, 20))));
  CHECK_FALSE(is_checkpoint(folder.path() / "none"));
}

namespace {

constexpr const char* kCfg =
    "[net]\nwidth=2\nheight=2\n[convolutional]\nfilters=1\nbatch_normalize=1\nactivation=linear\n"
    "[convolutional]\nfilters=6\nactivation=linear\n[yolo]\nclasses=1\nnum=1\nanchors=1,1\n";

std::string pickled_item(const std::string& name, std::int32_t storage, const std::vector<std::int32_t>& shape) {
  std::string sides;
  std::string strides;
  std::int32_t count = 1;
  for (const auto side : shape) sides += integer(side);
  for (auto i = shape.size(); i-- > 0;) {
    strides.insert(0, integer(count));
    count *= shape[i];
  }
  return text("module_list." + name) + tensor(std::to_string(storage), count, 0, sides, strides);
}

// Returns the items of kCfg's state dict. Layer 0's running_var has the given shape, and the items in `more` come
// last.
std::string small_state(const std::vector<std::int32_t>& variance_shape, const std::string& more = "") {
  return pickled_item("0.Conv2d.weight", 0, {1, 3, 1, 1}) + pickled_item("0.BatchNorm2d.weight", 1, {1}) +
         pickled_item("0.BatchNorm2d.bias", 2, {1}) + pickled_item("0.BatchNorm2d.running_mean", 3, {1}) +
         pickled_item("0.BatchNorm2d.running_var", 4, variance_shape) +
         text("module_list.0.BatchNorm2d.num_batches_tracked") + tensor("5", 1, 0, "", "", "LongStorage") +
         pickled_item("1.Conv2d.weight", 6, {6, 1, 1, 1}) + pickled_item("1.Conv2d.bias", 7, {6}) + more;
}

yolod::common::Outcome<yolod::model::darknet::Weights> small_weights(const std::string& state, float variance = 4) {
  const TemporaryDirectory folder;
  const std::string six(24, '\0');
  const auto file = folder.write("a.pt", zipped(model_pickle(state), {{"a/data/0", float_bytes({1, 2, 3})},
                                                                      {"a/data/1", float_bytes({2})},
                                                                      {"a/data/2", float_bytes({0.5F})},
                                                                      {"a/data/3", float_bytes({3})},
                                                                      {"a/data/4", float_bytes({variance, 0})},
                                                                      {"a/data/5", little(7, 8)},
                                                                      {"a/data/6", six},
                                                                      {"a/data/7", six}}));
  auto checkpoint = Checkpoint::open(file);
  if (!checkpoint) return checkpoint.error();
  const auto network = build(kCfg);
  REQUIRE(network.ok());
  return read_weights(checkpoint.value(), *network);
}

}  // namespace

TEST_CASE("Checkpoint weights: batch normalisation is folded in with an epsilon of 1e-4", "[model][unit]") {
  const auto weights = small_weights(small_state({1}));
  INFO((weights ? std::string() : weights.error().message));
  REQUIRE(weights.ok());
  REQUIRE(weights.value().layers.size() == 3);
  const double factor = 2 / std::sqrt(4 + 1e-4);
  CHECK(weights.value().layers[0].biases[0] == Approx(0.5 - 3 * factor).epsilon(1e-7));
  CHECK(weights.value().layers[0].weights[2] == Approx(3 * factor).epsilon(1e-7));
  CHECK(weights.value().layers[1].weights.size() == 6);
}

TEST_CASE("Checkpoint weights: the error names the item that does not fit the cfg", "[model][unit]") {
  const auto problem = [](const std::string& state, float variance = 4) {
    const auto weights = small_weights(state, variance);
    return weights ? std::string() : weights.error().message;
  };
  CHECK_THAT(problem(small_state({2})),
             Contains("a.pt: does not fit a.cfg: module_list.0.BatchNorm2d.running_var is [2], the cfg needs [1]"));
  CHECK_THAT(problem(small_state({1}, pickled_item("4.Conv2d.weight", 0, {1}))),
             Contains("module_list.4.Conv2d.weight belongs to no layer of the cfg"));
  CHECK_THAT(problem(pickled_item("0.Conv2d.weight", 0, {1, 3, 1, 1})),
             Contains("module_list.0.BatchNorm2d.bias is missing") && Contains("; and 3 more"));
  CHECK_THAT(problem(small_state({1}), NAN), Contains("running_var has values that are not finite"));
  CHECK_THAT(problem(small_state({1}), -5), Contains("not finite numbers after its batch normalisation is folded in"));
}

namespace {

// thop registers these counters in every module and in the whole network. Each is a number of type double.
std::string thop_counters(const std::string& prefix) {
  std::string items;
  for (const auto* module : {"", "module_list.", "module_list.0.", "module_list.0.Conv2d."}) {
    for (const auto* name : {"total_ops", "total_params"})
      items += text(prefix + module + name) + tensor("5", 1, 0, integer(1), integer(1), "DoubleStorage");
  }
  return items;
}

}  // namespace

TEST_CASE("Checkpoint weights: the reader ignores the counters of the profiler thop", "[model][unit]") {
  const auto expected = small_weights(small_state({1}));
  const auto weights = small_weights(small_state({1}, thop_counters("")));
  INFO((weights ? std::string() : weights.error().message));
  REQUIRE(weights.ok());
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(weights->layers[i].biases == expected->layers[i].biases);
    CHECK(weights->layers[i].weights == expected->layers[i].weights);
  }
  const auto other = small_weights(small_state({1}, text("module_list.0.total_opsx") + tensor("5", 1, 0, "", "")));
  REQUIRE_FALSE(other.ok());
  CHECK_THAT(other.error().message, Contains("module_list.0.total_opsx belongs to no layer of the cfg"));
}

TEST_CASE("Checkpoint: thop's counters lack the module prefix, and the reader still removes it from the other keys",
          "[model][unit]") {
  const TemporaryDirectory folder;
  const auto state =
      text("total_ops") + tensor("0", 1, 0, "", "") + text("module.a.weight") + tensor("0", 1, 0, "", "");
  const auto opened =
      Checkpoint::open(folder.write("a.pt", zipped(pickled("}(" + state + "u"), {{"a/data/0", float_bytes({1})}})));
  INFO((opened ? std::string() : opened.error().message));
  REQUIRE(opened.ok());
  CHECK(opened->tensors().contains("a.weight"));
  CHECK(opened->tensors().contains("total_ops"));
}

TEST_CASE("Checkpoint weights: a checkpoint with thop's counters has the weights of its Darknet file",
          "[model][unit][skips]") {
  const auto cases = fault_cases();
  const auto data = test_data();
  if (!cases || !data) {
    WARN("SKIPPED: no test data");
    return;
  }
  const auto folder = *data / "darknet/yoloface-50k";
  const auto source = [&](const std::filesystem::path& weights) {
    return yolod::common::DarknetSource{folder / "yoloface-50k.cfg", weights, {}};
  };
  const auto checkpoint_file = *cases / "thop_checkpoint_yoloface-50k.pt";
  const auto as_ultralytics = yolod::model::read_network(source(checkpoint_file), std::nullopt);
  REQUIRE(as_ultralytics.ok());
  auto checkpoint = Checkpoint::open(checkpoint_file);
  REQUIRE(checkpoint.ok());
  auto theirs = read_stored_weights(*checkpoint, *as_ultralytics);
  INFO((theirs ? std::string() : theirs.error().message));
  REQUIRE(theirs.ok());

  const auto weights_file = folder / "yoloface-50k.weights";
  const auto as_darknet = yolod::model::read_network(source(weights_file), std::nullopt);
  REQUIRE(as_darknet.ok());
  auto ours = yolod::model::darknet::read_stored_weights(weights_file, *as_darknet);
  REQUIRE(ours.ok());
  REQUIRE(theirs->layers.size() == ours->layers.size());
  for (std::size_t i = 0; i < ours->layers.size(); ++i) {
    CAPTURE(i);
    CHECK(theirs->layers[i].weights == ours->layers[i].weights);
    CHECK(theirs->layers[i].biases == ours->layers[i].biases);
  }
}
