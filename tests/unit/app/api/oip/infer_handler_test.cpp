#include "app/api/oip/infer_handler.hpp"

#include <cstring>

#include "tests/support/packed_bodies.hpp"
#include "tests/unit/app/api/oip/infer_bench.hpp"

namespace yolod::app::api::oip {
namespace {

using common::ContentKind;
using common::Task;

// Returns a request with one picture input of that shape and these further members.
std::string picture_json(const std::string& shape, const std::string& members, const std::string& more = "") {
  return R"({"inputs":[{"name":"image","shape":)" + shape + R"(,"datatype":"BYTES")" + members + "}]" + more + "}";
}

std::string sized(std::size_t bytes) { return R"(,"parameters":{"binary_data_size":)" + std::to_string(bytes) + "}"; }

TEST_CASE("InferHandler: each picture in binary form is a call", "[app][unit]") {
  InferBench bench;
  const std::string bytes = element("one") + element("second");
  const std::string shape = GENERATE("[2,1]", "[2]");
  REQUIRE(bench.ask_binary(picture_json(shape, sized(bytes.size())), bytes) == "");
  REQUIRE(bench.calls.size() == 2);
  CHECK(bench.content(0) == "one");
  CHECK(bench.content(1) == "second");
  CHECK(bench.calls[0].kind == ContentKind::kFile);
  CHECK(bench.plan.model == bench.model);
}

TEST_CASE("InferHandler: a raw request, and a single picture without its size, need no length before the picture",
          "[app][unit]") {
  InferBench bench;
  REQUIRE(bench.ask("picture", "0") == "");
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.content(0) == "picture");
  REQUIRE(bench.ask_binary(picture_json("[1]", ""), "picture") == "");
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.content(0) == "picture");
}

TEST_CASE("InferHandler: each picture in JSON is a call with base64, for every size of a step", "[app][unit]") {
  InferBench bench;
  const auto budget = GENERATE(1, 7, 1000);
  REQUIRE(bench.ask(picture_json("[2,1]", R"(,"data":[["aGk="], ["a\/b"]])"), "", static_cast<std::size_t>(budget)) ==
          "");
  REQUIRE(bench.calls.size() == 2);
  CHECK(bench.content(0) == "aGk=");
  CHECK(bench.content(1) == R"(a\/b)");
  CHECK(bench.calls[1].kind == ContentKind::kBase64);
}

TEST_CASE("InferHandler: parameters become options and the urgency of the calls", "[app][unit]") {
  auto config = config_of(Task::kDetect);
  InferBench bench(config);
  const auto json = picture_json("[1]", R"(,"data":["aGk="])",
                                 R"(,"parameters":{"confidence":0.5,"iou":0.25,"max_detections":7,"priority":1,)"
                                 R"("timeout":1500})");
  REQUIRE(bench.ask(json) == "");
  CHECK(bench.calls[0].options == common::PredictionOptions{0.5F, 0.25F, 7, {}, false});
  CHECK(bench.plan.urgency.priority == schedule::Priority::kHigh);
  CHECK(bench.plan.urgency.deadline == bench.began + std::chrono::microseconds(1500));
  // The header's timeout counts too, and the shorter timeout decides.
  bench.fields = "X-Request-Timeout: 1\r\n";
  REQUIRE(bench.ask(json) == "");
  CHECK(bench.plan.urgency.deadline == bench.began + std::chrono::milliseconds(1));
  bench.fields = "";
  CHECK(bench.ask(picture_json("[1]", R"(,"data":["aGk="])", R"(,"parameters":{"max_detections":301})")) ==
        "max_detections must be at most 300 for this model");
  CHECK(bench.ask(picture_json("[1]", R"(,"data":["aGk="])", R"(,"parameters":{"top_k":3})")) ==
        "top_k is for models that classify");
  REQUIRE(bench.ask(picture_json("[1]", R"(,"data":["aGk="])", R"(,"parameters":{"timeout":18446744073709551615})")) ==
          "");
  CHECK(bench.plan.urgency.deadline == bench.began + std::chrono::hours(24));
}

TEST_CASE("InferHandler: a wrong length of the JSON is refused", "[app][unit]") {
  InferBench bench;
  CHECK(bench.ask("{}", "3") == "Inference-Header-Content-Length is 3, but the body has 2 bytes");
  for (const char* length : {"-1", "x", "1.5", "18446744073709551616"}) {
    CHECK(bench.ask("{}", length) ==
          "Inference-Header-Content-Length must be a whole number, got: " + std::string(length));
  }
}

TEST_CASE("InferHandler: inputs that the model does not have are refused with Triton's texts", "[app][unit]") {
  InferBench bench;
  CHECK(bench.ask(R"({"inputs":[]})") == "expected 1 inputs but got 0 inputs for model 'echo'");
  CHECK(bench.ask(R"({"inputs":[{"name":"picture","shape":[1],"datatype":"BYTES","data":["a"]}]})") ==
        "unexpected inference input 'picture' for model 'echo'");
  CHECK(bench.ask(R"({"inputs":[{"name":"image","shape":[1],"datatype":"FP32","data":[1]}]})") ==
        "inference input 'image' data-type is 'FP32', but model 'echo' expects 'BYTES'");
  for (const char* shape : {"[]", "[0]", "[1,2]", "[1,1,1]"}) {
    CHECK(bench.ask(picture_json(shape, R"(,"data":["a"])")) ==
          "unexpected shape for input 'image' for model 'echo'. Expected [-1,1] or [-1]");
  }
  CHECK(bench.ask(picture_json("[65]", R"(,"data":["a"])")) == "inference request batch-size must be <= 64 for 'echo'");
  CHECK(bench.ask(picture_json("[1]", "")) == "input 'image' must have 'data' or the parameter 'binary_data_size'");
  CHECK(bench.ask(picture_json("[1]", R"(,"data":["a"])", R"(,"outputs":[{"name":"boxes"}])")) ==
        "unexpected inference output 'boxes' for model 'echo'");
  for (const char* data : {R"(["a","b"])", "[]", "[1]", R"([1,"a"])", R"(["a",null])"}) {
    CHECK(bench.ask(picture_json("[1]", R"(,"data":)" + std::string(data))) ==
          "'data' of input 'image' must have 1 texts: pictures in base64");
  }
  CHECK(bench.ask(picture_json("[1]", R"(,"data":[""])")) == "a picture is empty");
}

TEST_CASE("InferHandler: bytes that do not fit the header are refused", "[app][unit]") {
  InferBench bench;
  const std::string bytes = element("one");
  const auto ask = [&](const std::string& shape, std::size_t size, const std::string& sent) {
    return bench.ask_binary(picture_json(shape, sized(size)), sent);
  };
  CHECK(ask("[1]", 7, bytes + "x") == "unexpected additional input data for model 'echo'");
  CHECK(ask("[1]", 8, bytes) == "unexpected end of the input data for model 'echo'");
  CHECK(ask("[2]", 7, bytes) == "incomplete string data for inference input 'image', expecting string 1 of 2");
  CHECK(ask("[1]", 3, "\x01\x02\x03") == "incomplete string data for inference input 'image', expecting string 0 of 1");
  CHECK(ask("[1]", 4, "\xFF\xFF\xFF\xFF") ==
        "incomplete string data for inference input 'image', expecting string 0 of 1");
  CHECK(ask("[1]", 14, bytes + bytes) ==
        "unexpected number of string elements for inference input 'image', expecting 1");
  CHECK(ask("[1]", 4, element("")) == "picture 0 is empty");
}

TEST_CASE("InferHandler: a request on tensors is one call with the whole body", "[app][unit]") {
  InferBench bench(config_of(Task::kTensor), tensor_description());
  const std::string json =
      R"({"inputs":[{"name":"x","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}},)"
      R"({"name":"y","shape":[1],"datatype":"INT64","data":[7]}]})";
  REQUIRE(bench.ask_binary(json, bytes_of(1.0F, 2.0F)) == "");
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.calls[0].kind == ContentKind::kOip);
  CHECK(bench.calls[0].options.tensors);
  CHECK(bench.content(0) == json + bytes_of(1.0F, 2.0F));
}

TEST_CASE("InferHandler: tensors are checked before a worker gets them", "[app][unit]") {
  InferBench bench(config_of(Task::kTensor), tensor_description());
  const auto ask = [&](const std::string& x) {
    return bench.ask(R"({"inputs":[{"name":"x",)" + x +
                     R"(},{"name":"y","shape":[1],"datatype":"INT64","data":[7]}]})");
  };
  CHECK(ask(R"("shape":[1],"datatype":"FP32","data":[1])") == "");
  CHECK(ask(R"("shape":[1],"datatype":"BYTES","data":["a"])") ==
        "inference input 'x' data-type is 'BYTES', but model 'echo' expects numbers of a type that LibTorch has");
  CHECK(ask(R"("shape":[1],"datatype":"UINT16","data":[1])").starts_with("inference input 'x' data-type is 'UINT16'"));
  CHECK(bench.ask(R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]})") ==
        "expected 2 inputs but got 1 inputs for model 'echo'");
  CHECK(bench.ask("abcd", "0") ==
        "a raw request needs a model with one input of a known shape: send JSON before the bytes");
  common::ModelDescription one;
  one.tensor_inputs = {"x"};
  InferBench single(config_of(Task::kTensor), one);
  const std::string json = R"({"inputs":[{"name":"x","shape":[2],"datatype":"FP32"}]})";
  CHECK(single.ask_binary(json, bytes_of(1.0F, 2.0F)) == "");
  CHECK(single.ask_binary(json, bytes_of(1.0F)) == "unexpected size 4 for input 'x'");
}

common::ModelConfig declared_config() {
  auto config = config_of(Task::kTensor);
  config.inputs = {{"x", common::oip::DataType::kFp32, {-1, 3}}};
  config.outputs = {{"sum", common::oip::DataType::kFp32, {1}}};
  return config;
}

TEST_CASE("InferHandler: declared tensors are checked with Triton's texts before a worker gets them", "[app][unit]") {
  common::ModelDescription description;
  description.tensor_inputs = {"x"};
  InferBench bench(declared_config(), description);
  const auto ask = [&](const std::string& x, const std::string& more = "") {
    return bench.ask(R"({"inputs":[{"name":"x",)" + x + "}]" + more + "}");
  };
  CHECK(ask(R"("shape":[1,3],"datatype":"FP32","data":[1,2,3])") == "");
  CHECK(ask(R"("shape":[0,3],"datatype":"FP32","data":[])") == "");
  CHECK(ask(R"("shape":[1,3],"datatype":"INT8","data":[1,2,3])") ==
        "inference input 'x' data-type is 'INT8', but model 'echo' expects 'FP32'");
  CHECK(ask(R"("shape":[1,4],"datatype":"FP32","data":[1,2,3,4])") ==
        "unexpected shape for input 'x' for model 'echo'. Expected [-1,3], got [1,4]");
  CHECK(ask(R"("shape":[3],"datatype":"FP32","data":[1,2,3])") ==
        "unexpected shape for input 'x' for model 'echo'. Expected [-1,3], got [3]");
  CHECK(ask(R"("shape":[1,3],"datatype":"FP32","data":[1,2,3])", R"(,"outputs":[{"name":"sum"}])") == "");
  CHECK(ask(R"("shape":[1,3],"datatype":"FP32","data":[1,2,3])", R"(,"outputs":[{"name":"other"}])") ==
        "unexpected inference output 'other' for model 'echo'");
}

TEST_CASE("InferHandler: with batch.max_rows the first sides are counts of rows, with Triton's texts", "[app][unit]") {
  auto config = config_of(Task::kTensor);
  config.inputs = {{"x", common::oip::DataType::kFp32, {-1, 2}}, {"y", common::oip::DataType::kInt64, {-1}}};
  config.batch.max_rows = 3;
  InferBench bench(config, tensor_description());
  const auto ask = [&](const std::string& x, const std::string& y) {
    return bench.ask(R"({"inputs":[{"name":"x","datatype":"FP32",)" + x + R"(},{"name":"y","datatype":"INT64",)" + y +
                     "}]}");
  };
  CHECK(ask(R"("shape":[1,2],"data":[1,2])", R"("shape":[1],"data":[1])") == "");
  CHECK(bench.calls[0].rows == 1);
  CHECK(ask(R"("shape":[3,2],"data":[1,2,3,4,5,6])", R"("shape":[3],"data":[1,2,3])") == "");
  CHECK(bench.calls[0].rows == 3);
  CHECK(ask(R"("shape":[4,2],"data":[1,2,3,4,5,6,7,8])", R"("shape":[4],"data":[1,2,3,4])") ==
        "inference request batch-size must be <= 3 for 'echo'");
  CHECK(ask(R"("shape":[2,2],"data":[1,2,3,4])", R"("shape":[1],"data":[1])") ==
        "input 'y' batch size does not match other inputs for 'echo'");
  CHECK(ask(R"("shape":[0,2],"data":[])", R"("shape":[0],"data":[])") == "input 'x' for model 'echo' has no rows");
  CHECK(ask(R"("shape":[],"data":[1])", R"("shape":[1],"data":[1])") ==
        "unexpected shape for input 'x' for model 'echo'. Expected [-1,2], got []");
}

TEST_CASE("InferHandler: the statistics count the rows of raw and of compressed requests", "[app][unit]") {
  auto config = config_of(Task::kTensor);
  config.inputs = {{"x", common::oip::DataType::kFp32, {-1, 2}}};
  config.batch.max_rows = 4;
  common::ModelDescription description;
  description.tensor_inputs = {"x"};
  InferBench bench(config, description);
  REQUIRE(bench.ask(bytes_of(1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F), "0") == "");
  CHECK(bench.calls[0].rows == 3);

  bench.fields = "Content-Encoding: gzip\r\n";
  REQUIRE(bench.ask("packed") == "");
  CHECK(bench.calls[0].rows == 1);  // until the worker has read the request
  common::TensorList list{{{"sum", {common::ElementType::kFloat32, {1}, std::vector<std::byte>(4)}}}};
  list.tensors.push_back(
      common::oip::header_tensor(R"({"inputs":[{"name":"x","shape":[4,2],"datatype":"FP32","data":0}]})"));
  (void)bench.answer({list});
  CHECK(bench.response.status == boost::beast::http::status::ok);
  CHECK(bench.model_metrics.statistics().inference_count == 3);

  // A compressed tensor without JSON: the first side of its result counts, but no more than a request may have.
  for (const auto& [rows, counted] : {std::pair<std::int64_t, std::uint64_t>{3, 5}, {9, 8}}) {
    REQUIRE(bench.ask("packed", "0") == "");
    CHECK(bench.calls[0].rows == 1);
    const auto bytes = 4 * static_cast<std::size_t>(rows);
    const common::TensorArray sums{common::ElementType::kFloat32, {rows}, std::vector<std::byte>(bytes)};
    (void)bench.answer({common::TensorList{{{"sum", sums}}}});
    CHECK(bench.response.status == boost::beast::http::status::ok);
    CHECK(bench.model_metrics.statistics().inference_count == counted);
  }
}

TEST_CASE("InferHandler: a raw request reaches a model with a single declared input", "[app][unit]") {
  common::ModelDescription description;
  description.tensor_inputs = {"x"};
  auto config = declared_config();
  InferBench bench(config, description);
  REQUIRE(bench.ask(bytes_of(1.0F, 2.0F, 3.0F), "0") == "");
  CHECK(bench.calls[0].kind == ContentKind::kFile);
  CHECK(bench.calls[0].options.tensors);
  config.inputs[0].shape = {-1, -1};
  InferBench open(config, description);
  CHECK(open.ask("abcd", "0") ==
        "a raw request needs a model with one input of a known shape: send JSON before the bytes");
}

// A detector whose network takes 2 x 4 pixels in 3 channels, and gives 6 numbers for each of 5 candidates.
class RawBench : public InferBench {
 public:
  RawBench() : InferBench(raw_config(), raw_description()) { model_name = "echo:raw"; }

  static common::ModelConfig raw_config() {
    auto config = config_of(Task::kDetect);
    config.detect.raw = true;
    return config;
  }
  static common::ModelDescription raw_description() {
    common::ModelDescription description;
    description.labels = {"cat", "dog"};
    description.input_channels = 3;
    description.input_height = 2;
    description.input_width = 4;
    description.raw_output = {6, 5};
    return description;
  }
  static std::string images(const std::string& shape, const std::string& type, const std::string& more = "") {
    return R"({"inputs":[{"name":"images","shape":)" + shape + R"(,"datatype":")" + type + R"("}])" + more + "}";
  }
};

const std::string kBinaryOutputs = R"(,"parameters":{"binary_data_output":true})";

TEST_CASE("InferHandler: each picture of a raw view is a call with its planes", "[app][unit]") {
  RawBench bench;
  const auto [type, size] = GENERATE(std::pair("FP32", 96), std::pair("FP16", 48), std::pair("UINT8", 24));
  const std::string first(static_cast<std::size_t>(size), 'a');
  const std::string second(static_cast<std::size_t>(size), 'b');
  REQUIRE(bench.ask_binary(RawBench::images("[2,3,2,4]", type, kBinaryOutputs), first + second) == "");
  REQUIRE(bench.calls.size() == 2);
  CHECK(bench.content(0) == first);
  CHECK(bench.content(1) == second);
  CHECK(bench.calls[1].kind == ContentKind::kPlanes);
  CHECK(bench.calls[1].options.tensors);
}

TEST_CASE("InferHandler: a raw view refuses other shapes and types, and long tensors in JSON", "[app][unit]") {
  RawBench bench;
  const std::string planes(96, 'a');
  CHECK(bench.ask_binary(RawBench::images("[1,3,4,2]", "FP32"), planes) ==
        "unexpected shape for input 'images' for model 'echo'. Expected [-1,3,2,4], got [1,3,4,2]");
  CHECK(
      bench.ask_binary(RawBench::images("[3,2,4]", "FP32"), planes).starts_with("unexpected shape for input 'images'"));
  CHECK(bench.ask_binary(RawBench::images("[1,3,2,4]", "INT32"), planes) ==
        "inference input 'images' data-type is 'INT32', but model 'echo' expects 'FP32'");
  CHECK(bench.ask_binary(RawBench::images("[0,3,2,4]", "FP32"), "").starts_with("inference request batch-size"));
  CHECK(bench.ask_binary(RawBench::images("[2,3,2,4]", "FP32"), planes + planes) ==
        "output 'output0' of several pictures is large: use the binary data format");
  CHECK(bench.ask(R"({"inputs":[{"name":"images","shape":[1,3,2,4],"datatype":"FP32","data":[1]}]})") ==
        "input 'images' is large: use the binary data format");
}

TEST_CASE("InferHandler: a raw view takes compressed requests, and a picture without JSON", "[app][unit]") {
  RawBench bench;
  const std::string planes(96, 'a');
  REQUIRE(bench.ask(planes, "0") == "");
  CHECK(bench.calls[0].kind == ContentKind::kPlanes);
  CHECK(bench.calls[0].options.tensors);
  CHECK(bench.calls[0].rows == 1);
  bench.fields = "Content-Encoding: gzip\r\n";
  REQUIRE(bench.ask(tests::gzipped(planes), "0") == "");
  CHECK(bench.calls[0].kind == ContentKind::kPlanes);
  CHECK(bench.calls[0].options.packing == common::Packing{bench.server.max_body_bytes, 0});
  const std::string json =
      R"({"inputs":[{"name":"images","shape":[2,3,2,4],"datatype":"FP32","parameters":{"binary_data_size":192}}])" +
      kBinaryOutputs + "}";
  REQUIRE(bench.ask(tests::gzipped(json + planes + planes), std::to_string(json.size())) == "");
  REQUIRE(bench.calls.size() == 2);
  CHECK(bench.calls[1].kind == ContentKind::kOipPlanes);
  CHECK(bench.calls[1].options.tensors);
  CHECK(bench.calls[1].options.packing == common::Packing{json.size() + 192, 1});
  const std::string no_bytes = R"({"inputs":[{"name":"images","shape":[1,3,2,4],"datatype":"FP32"}]})";
  CHECK(bench.ask(tests::gzipped(no_bytes + planes), std::to_string(no_bytes.size())).find("must have 'data' or") !=
        std::string::npos);
}

TEST_CASE("InferHandler: the raw view of a classifier gives its output, or the best classes of it", "[app][unit]") {
  auto config = config_of(Task::kClassify);
  auto description = RawBench::raw_description();
  InferBench without(config, description);
  without.model_name = "echo:raw";
  CHECK(without.ask("{}") == "Request for unknown model: 'echo:raw' is not found");
  config.classify.raw = true;
  InferBench bench(config, description);
  bench.model_name = "echo:raw";
  const std::string planes(192, 'a');
  const auto answer = [&](std::size_t pictures, int classes = 2) {
    std::vector<common::Prediction> predictions;
    for (std::uint32_t i = 0; i < pictures; ++i) {
      const auto value = static_cast<float>(i);
      const common::Classification cat{0, value};
      const common::Classification dog{1, 0.5F};
      const std::vector<common::Classification> best{i == 0 ? dog : cat, i == 0 ? cat : dog};
      predictions.emplace_back(class_tensors({value, 0.5F}, {best.begin(), best.begin() + classes}));
    }
    return bench.answer(std::move(predictions), description.labels);
  };
  const std::string head = R"({"model_name":"echo","model_version":"3","outputs":[{"name":"output0","datatype":)";
  REQUIRE(bench.ask_binary(RawBench::images("[2,3,2,4]", "FP32"), planes) == "");
  CHECK(bench.calls[1].options.tensors);
  CHECK(answer(2) == head + R"("FP32","shape":[2,2],"data":[0,0.5,1,0.5]}]})");
  REQUIRE(bench.ask_binary(RawBench::images("[2,3,2,4]", "FP32", kBinaryOutputs), planes) == "");
  CHECK(answer(2) ==
        head + R"("FP32","shape":[2,2],"parameters":{"binary_data_size":16}}]})" + bytes_of(0.0F, 0.5F, 1.0F, 0.5F));
  const auto wanted = [](int classes) {
    return R"(,"outputs":[{"name":"output0","parameters":{"classification":)" + std::to_string(classes) + "}}]";
  };
  REQUIRE(bench.ask_binary(RawBench::images("[2,3,2,4]", "FP32", wanted(1)), planes) == "");
  CHECK(bench.calls[0].options.top_k == 1U);
  CHECK(answer(2, 1) == head + R"("BYTES","shape":[2,1],"data":["0.500000:1:dog","1.000000:0:cat"]}]})");
  REQUIRE(bench.ask_binary(RawBench::images("[1,3,2,4]", "FP32", wanted(9)), planes.substr(96)) == "");
  CHECK(answer(1) == head + R"("BYTES","shape":[1,2],"data":["0.500000:1:dog","0.000000:0:cat"]}]})");
  // A reload may change the model while the request waits.
  const std::string replaced =
      R"({"error":"the model was replaced while the request waited, and has other outputs now"})";
  REQUIRE(bench.ask_binary(RawBench::images("[1,3,2,4]", "FP32"), planes.substr(96)) == "");
  CHECK(bench.answer({class_tensors({1, 2, 3}, {})}) == replaced);
  REQUIRE(bench.ask_binary(RawBench::images("[1,3,2,4]", "FP32"), planes.substr(96)) == "");
  CHECK(bench.answer({common::DetectionList{4, 4, {}}}) == replaced);
  CHECK(bench.response.status == boost::beast::http::status::service_unavailable);
  RawBench detector;
  CHECK(detector.ask_binary(RawBench::images("[1,3,2,4]", "FP32", wanted(1)), planes.substr(96)) ==
        "output 'output0' cannot be given as a classification");
}

TEST_CASE("InferHandler: an output that the config declares as FP16 needs the binary form", "[app][unit]") {
  auto config = config_of(Task::kTensor);
  config.outputs = {{"y", common::oip::DataType::kFp16, {-1}, {}}};
  InferBench bench(config, tensor_description());
  const std::string inputs = R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]},)"
                             R"({"name":"y","shape":[1],"datatype":"FP32","data":[1]}])";
  const std::string why = "output 'y' is FP16, which JSON cannot carry: use the binary data format";
  CHECK(bench.ask(inputs + "}") == why);
  CHECK(bench.ask(inputs + R"(,"outputs":[{"name":"y"}]})") == why);
  CHECK(bench.ask(inputs + R"(,"outputs":[{"name":"y","parameters":{"binary_data":true}}]})") == "");
  REQUIRE(bench.ask(inputs + R"(,"parameters":{"binary_data_output":true}})") == "");
  const common::TensorArray half{common::ElementType::kFloat16, {1}, std::vector<std::byte>(2, std::byte{'h'})};
  CHECK(bench.answer({common::TensorList{{{"y", half}}}}) ==
        R"({"model_name":"echo","model_version":"3","outputs":[)"
        R"({"name":"y","datatype":"FP16","shape":[1],"parameters":{"binary_data_size":2}}]})"
        "hh");
}

TEST_CASE("InferHandler: the outputs of a raw view are one tensor, in the order of the pictures", "[app][unit]") {
  auto description = RawBench::raw_description();
  description.raw_output = {1, 1};
  InferBench bench(RawBench::raw_config(), description);
  bench.model_name = "echo:raw";
  const std::string planes(192, 'a');
  REQUIRE(bench.ask_binary(RawBench::images("[2,3,2,4]", "FP32", kBinaryOutputs), planes) == "");
  const auto output = [](float value) {
    common::TensorArray array{common::ElementType::kFloat32, {1, 1}, std::vector<std::byte>(sizeof value)};
    std::memcpy(array.bytes.data(), &value, sizeof value);
    return common::TensorList{{{"output0", array}}};
  };
  CHECK(bench.answer({output(1), output(2)}) ==
        R"({"model_name":"echo","model_version":"3","outputs":[)"
        R"({"name":"output0","datatype":"FP32","shape":[2,1,1],"parameters":{"binary_data_size":8}}]})" +
            bytes_of(1.0F, 2.0F));
  REQUIRE(bench.ask_binary(RawBench::images("[1,3,2,4]", "FP32"), planes.substr(96)) == "");
  CHECK(bench.answer({output(0.5F)}) == R"({"model_name":"echo","model_version":"3","outputs":[)"
                                        R"({"name":"output0","datatype":"FP32","shape":[1,1,1],"data":[0.5]}]})");
}

TEST_CASE("InferHandler: the exchange carries pictures and answers, and errors have the protocol's form",
          "[app][unit]") {
  InferBench bench;
  const auto exchange = [&] {
    return std::make_unique<api::CallExchange>(bench.context, std::make_unique<InferHandler>(bench, bench.server));
  };
  api::ExchangeDriver driver(bench.io, exchange());
  const std::string bytes = element("one") + element("second");
  const std::string json = picture_json("[2]", sized(bytes.size()), R"(,"id":"42","outputs":[{"name":"bytes"}])");
  REQUIRE(driver.begin("POST /v2 HTTP/1.1\r\nHost: a\r\nInference-Header-Content-Length: " +
                           std::to_string(json.size()) + "\r\n",
                       {"echo"}) == http::Exchange::Next::kReadBody);
  REQUIRE(driver.send(json + bytes) == http::Exchange::Next::kWait);
  driver.wait();
  while (!driver.resumed) REQUIRE(bench.serve() != 0);
  driver.finish_wait();
  CHECK(driver.status() == 200);
  CHECK(driver.body() == R"({"id":"42","model_name":"echo","model_version":"3","outputs":[)"
                         R"({"name":"bytes","datatype":"UINT64","shape":[2,1],"data":[3,6]}]})");
  CHECK(bench.model_metrics.statistics().success.count == 1);
  CHECK(bench.model_metrics.statistics().compute_infer.count == 2);
  CHECK(bench.model_metrics.statistics().execution_count >= 1);

  api::ExchangeDriver unknown(bench.io, exchange());
  unknown.finish(unknown.begin("POST /v2 HTTP/1.1\r\nHost: a\r\n", {"other"}));
  CHECK(unknown.status() == 404);
  CHECK(unknown.body() == R"({"error":"Request for unknown model: 'other' is not found"})");
}

}  // namespace
}  // namespace yolod::app::api::oip
