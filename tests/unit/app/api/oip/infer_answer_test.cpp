#include "app/api/oip/infer_answer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/app/api/oip/infer_bench.hpp"

namespace yolod::app::api::oip {
namespace {

using common::Task;

constexpr const char* kHead = R"({"model_name":"echo","model_version":"3","outputs":[)";

// Asks with pictures in JSON and these further members of the request.
void ask_pictures(InferBench& bench, std::size_t count, const std::string& more = "") {
  std::string texts;
  for (std::size_t i = 0; i < count; ++i) texts += i == 0 ? R"("aa")" : R"(,"aa")";
  REQUIRE(bench.ask(R"({"inputs":[{"name":"image","shape":[)" + std::to_string(count) +
                    R"(],"datatype":"BYTES","data":[)" + texts + "]}]" + more + "}") == "");
}

const common::DetectionList kTwo{10, 10, {{1, 0.5F, {1, 2, 3, 4}}, {0, 0.25F, {5, 6, 7, 8}}}};
const common::DetectionList kOne{10, 10, {{0, 0.75F, {0.5F, 0, 1, 1}}}};

TEST_CASE("InferAnswer: detections are five tensors in JSON, filled up to the longest list", "[app][unit]") {
  InferBench bench(config_of(Task::kDetect));
  ask_pictures(bench, 2);
  CHECK(bench.answer({kTwo, kOne}, {"cat", "dog"}) ==
        std::string(kHead) +
            R"({"name":"num_dets","datatype":"INT32","shape":[2,1],"data":[2,1]},)"
            R"({"name":"det_boxes","datatype":"FP32","shape":[2,2,4],"data":[1,2,3,4,5,6,7,8,0.5,0,1,1,0,0,0,0]},)"
            R"({"name":"det_scores","datatype":"FP32","shape":[2,2],"data":[0.5,0.25,0.75,0]},)"
            R"({"name":"det_classes","datatype":"INT32","shape":[2,2],"data":[1,0,0,-1]},)"
            R"({"name":"labels","datatype":"BYTES","shape":[2,2],"data":["dog","cat","cat",""]}]})");
  CHECK(bench.response.content_type == "application/json");
  CHECK(bench.response.fields.view().empty());
}

TEST_CASE("InferAnswer: named outputs come in the request's order, each in JSON or in binary form", "[app][unit]") {
  InferBench bench(config_of(Task::kDetect));
  ask_pictures(bench, 1,
               R"(,"id":"a\"","parameters":{"binary_data_output":true},"outputs":[)"
               R"({"name":"labels","parameters":{"binary_data":true}},{"name":"num_dets"},)"
               R"({"name":"det_scores","parameters":{"binary_data":true}}])");
  const std::string json =
      R"({"id":"a\"","model_name":"echo","model_version":"3","outputs":[)"
      R"({"name":"labels","datatype":"BYTES","shape":[1,2],"parameters":{"binary_data_size":14}},)"
      R"({"name":"num_dets","datatype":"INT32","shape":[1,1],"data":[2]},)"
      R"({"name":"det_scores","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]})";
  CHECK(bench.answer({kTwo}, {"cat", "dog"}) == json + element("dog") + element("cat") + bytes_of(0.5F, 0.25F));
  CHECK(bench.response.content_type == "application/octet-stream");
  CHECK(bench.response.fields.view() == "Inference-Header-Content-Length: " + std::to_string(json.size()) + "\r\n");
}

TEST_CASE("InferAnswer: binary outputs without bytes leave the answer JSON", "[app][unit]") {
  InferBench bench(config_of(Task::kDetect));
  ask_pictures(bench, 1, R"(,"outputs":[{"name":"det_boxes","parameters":{"binary_data":true}}])");
  CHECK(bench.answer({common::DetectionList{10, 10, {}}}) ==
        std::string(kHead) +
            R"({"name":"det_boxes","datatype":"FP32","shape":[1,0,4],"parameters":{"binary_data_size":0}}]})");
  CHECK(bench.response.content_type == "application/json");
  CHECK(bench.response.fields.view().empty());
}

TEST_CASE("InferAnswer: a raw request gets all outputs in binary form", "[app][unit]") {
  InferBench bench(config_of(Task::kClassify));
  REQUIRE(bench.ask("picture", "0") == "");
  const std::string json =
      std::string(kHead) +
      R"({"name":"class_ids","datatype":"INT32","shape":[1,1],"parameters":{"binary_data_size":4}},)"
      R"({"name":"probabilities","datatype":"FP32","shape":[1,1],"parameters":{"binary_data_size":4}},)"
      R"({"name":"labels","datatype":"BYTES","shape":[1,1],"parameters":{"binary_data_size":7}}]})";
  CHECK(bench.answer({common::ClassificationList{4, 4, {{1, 0.75F}}}}, {"cat", "dog"}) ==
        json + bytes_of(std::int32_t{1}, 0.75F) + element("dog"));
}

TEST_CASE("InferAnswer: a classification is a text for each class", "[app][unit]") {
  InferBench bench(config_of(Task::kClassify));
  ask_pictures(bench, 2,
               R"(,"outputs":[{"name":"probabilities","parameters":{"classification":9}},{"name":"class_ids"}])");
  CHECK(bench.calls[1].options.top_k == 9U);
  const common::ClassificationList list{4, 4, {{1, 0.75F}, {0, 0.125F}}};
  CHECK(bench.answer({list, list}, {"cat", "dog"}) ==
        std::string(kHead) + R"({"name":"probabilities","datatype":"BYTES","shape":[2,2],"data":)"
                             R"(["0.750000:1:dog","0.125000:0:cat","0.750000:1:dog","0.125000:0:cat"]},)"
                             R"({"name":"class_ids","datatype":"INT32","shape":[2,2],"data":[1,0,1,0]}]})");
  ask_pictures(bench, 1, R"(,"outputs":[{"name":"probabilities","parameters":{"classification":1}}])");
  CHECK(bench.calls[0].options.top_k == 5U);  // the model's own
  CHECK(bench.answer({list}, {"cat", "dog"}) ==
        std::string(kHead) +
            R"({"name":"probabilities","datatype":"BYTES","shape":[1,1],"data":["0.750000:1:dog"]}]})");
  CHECK(bench.ask(R"({"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["aa"]}],)"
                  R"("outputs":[{"name":"labels","parameters":{"classification":1}}]})") ==
        "output 'labels' cannot be given as a classification");
}

TEST_CASE("InferAnswer: the lists of many pictures are collected in pieces, also if one picture has all detections",
          "[app][unit]") {
  InferBench bench(config_of(Task::kDetect));
  const std::size_t most = GENERATE(300, 9'000);
  const std::size_t pictures = 64;
  std::vector<common::Prediction> predictions(pictures, common::DetectionList{10, 10, {}});
  std::get<common::DetectionList>(predictions.front()).detections.resize(most, {1, 0.5F, {1, 2, 3, 4}});
  ask_pictures(bench, pictures,
               R"(,"outputs":[{"name":"labels","parameters":{"binary_data":true}},)"
               R"({"name":"det_scores","parameters":{"binary_data":true}}])");
  const std::string text = bench.answer(std::move(predictions), {"cat", "dog"});
  CHECK(static_cast<std::size_t>(bench.pieces) >= pictures * most / 4'000);
  std::string labels;
  for (std::size_t i = 0; i < pictures * most; ++i) labels += element(i < most ? "dog" : "");
  std::string scores;
  for (std::size_t i = 0; i < pictures * most; ++i) scores += bytes_of(i < most ? 0.5F : 0.0F);
  CHECK(text.ends_with(labels + scores));
}

TEST_CASE("InferAnswer: with classify.raw a picture has logits beside its classes", "[app][unit]") {
  auto config = config_of(Task::kClassify);
  config.classify.raw = true;
  config.classify.top_k = 2;
  common::ModelDescription description;
  description.labels = {"cat", "dog", "cow"};
  InferBench bench(config, description);
  const auto answer = [&](std::size_t pictures) {
    std::vector<common::Prediction> predictions(pictures, class_tensors({1, 3, 2}, {{1, 0.625F}, {2, 0.25F}}));
    return bench.answer(std::move(predictions), {"cat", "dog", "cow"});
  };
  ask_pictures(bench, 2);
  CHECK(bench.calls[1].options.tensors);
  CHECK(answer(2) == std::string(kHead) +
                         R"({"name":"class_ids","datatype":"INT32","shape":[2,2],"data":[1,2,1,2]},)"
                         R"({"name":"probabilities","datatype":"FP32","shape":[2,2],"data":[0.625,0.25,0.625,0.25]},)"
                         R"({"name":"labels","datatype":"BYTES","shape":[2,2],"data":["dog","cow","dog","cow"]},)"
                         R"({"name":"logits","datatype":"FP32","shape":[2,3],"data":[1,3,2,1,3,2]}]})");
  ask_pictures(bench, 1,
               R"(,"outputs":[{"name":"logits"},{"name":"probabilities","parameters":{"classification":3}}])");
  CHECK(bench.calls[0].options.top_k == 3U);
  CHECK(answer(1) == std::string(kHead) + R"({"name":"logits","datatype":"FP32","shape":[1,3],"data":[1,3,2]},)"
                                          R"({"name":"probabilities","datatype":"BYTES","shape":[1,2],"data":)"
                                          R"(["0.625000:1:dog","0.250000:2:cow"]}]})");
  ask_pictures(bench, 1, R"(,"outputs":[{"name":"class_ids"}])");
  CHECK_FALSE(bench.calls[0].options.tensors);
}

TEST_CASE("InferAnswer: pictures come in binary form only", "[app][unit]") {
  InferBench bench(config_of(Task::kImage));
  const std::string members = R"({"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["aa"]}])";
  CHECK(bench.ask(members + "}") == "output 'image' is a picture, which JSON cannot carry: use the binary data format");
  REQUIRE(bench.ask(members + R"(,"parameters":{"binary_data_output":true}})") == "");
  const std::string json =
      std::string(kHead) + R"({"name":"image","datatype":"BYTES","shape":[1,1],"parameters":{"binary_data_size":7}}]})";
  CHECK(bench.answer({common::EncodedFile{common::FileType::kJpeg,
                                          {std::byte{'a'}, std::byte{'b'}, std::byte{'c'}}}}) == json + element("abc"));
}

common::NamedTensor tensor_of(std::string name, common::ElementType type, std::vector<std::int64_t> shape,
                              const std::string& bytes) {
  const auto raw = std::as_bytes(std::span(bytes.data(), bytes.size()));
  return {std::move(name), {type, std::move(shape), {raw.begin(), raw.end()}}};
}

TEST_CASE("InferAnswer: the tensors of a model keep their names, types and shapes", "[app][unit]") {
  using common::ElementType;
  InferBench bench(config_of(Task::kTensor), tensor_description());
  const std::string inputs =
      R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]},{"name":"y","shape":[1],"datatype":"FP32","data":[1]}])";
  REQUIRE(bench.ask(inputs + "}") == "");
  const common::TensorList list{{
      tensor_of("a", ElementType::kFloat32, {2, 2}, bytes_of(0.1F, -1e10F, NAN, -INFINITY)),
      tensor_of("b", ElementType::kBool, {2}, bytes_of(true, false)),
      tensor_of("c", ElementType::kInt64, {}, bytes_of(INT64_MIN)),
  }};
  CHECK(bench.answer({list}) == std::string(kHead) +
                                    R"({"name":"a","datatype":"FP32","shape":[2,2],"data":[0.1,-1e+10,NaN,-Infinity]},)"
                                    R"({"name":"b","datatype":"BOOL","shape":[2],"data":[true,false]},)"
                                    R"({"name":"c","datatype":"INT64","shape":[],"data":[-9223372036854775808]}]})");
  REQUIRE(bench.ask(inputs + R"(,"outputs":[{"name":"c"}]})") == "");
  CHECK(bench.answer({list}) ==
        std::string(kHead) + R"({"name":"c","datatype":"INT64","shape":[],"data":[-9223372036854775808]}]})");
  REQUIRE(bench.ask(inputs + R"(,"outputs":[{"name":"d"}]})") == "");
  CHECK(bench.answer({list}) == R"({"error":"unexpected inference output 'd' for model 'echo'"})");
  CHECK(static_cast<int>(bench.response.status) == 400);
}

TEST_CASE("InferAnswer: a long answer is written in pieces and has the same bytes", "[app][unit]") {
  InferBench bench(config_of(Task::kTensor), tensor_description());
  const std::string inputs =
      R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]},{"name":"y","shape":[1],"datatype":"FP32","data":[1]}])";
  std::string bytes(600'001, '\x05');
  const common::TensorList list{{tensor_of("a", common::ElementType::kUint8, {600'001}, bytes)}};
  REQUIRE(bench.ask(inputs + R"(,"parameters":{"binary_data_output":true}})") == "");
  CHECK(bench.answer({list}).ends_with(R"("parameters":{"binary_data_size":600001}}]})" + bytes));
  CHECK(bench.response.parts.size() == 1);  // the bytes are not copied
  REQUIRE(bench.ask(inputs + "}") == "");
  const auto text = bench.answer({list});
  CHECK(bench.pieces > 100);
  CHECK(std::count(text.begin(), text.end(), '5') == 600'001);
}

// A text of that many bytes that has no short period, so that a byte in the wrong place is noticed.
std::string long_text(std::size_t size, std::uint32_t seed) {
  std::string text(size, '\0');
  for (char& byte : text) {
    seed = seed * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(seed >> 24U);
  }
  return text;
}

TEST_CASE("InferAnswer: two long tensors are sent from their place, and copied if the answer may be compressed",
          "[app][unit]") {
  InferBench bench(config_of(Task::kTensor), tensor_description());
  const bool is_copied = GENERATE(true, false);
  if (is_copied) bench.fields = "Accept-Encoding: gzip\r\n";  // which does not make these bytes shorter
  // The first tensor ends within a piece, with a piece, or a byte later. A piece has 256 KiB.
  const std::size_t first = GENERATE(300'001, 262'144, 262'145);
  const auto a = long_text(first, 1);
  const auto b = long_text(400'000, 2);
  REQUIRE(bench.ask(
              R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]},)"
              R"({"name":"y","shape":[1],"datatype":"FP32","data":[1]}],"parameters":{"binary_data_output":true}})") ==
          "");
  const common::TensorList list{{tensor_of("a", common::ElementType::kUint8, {static_cast<std::int64_t>(first)}, a),
                                 tensor_of("empty", common::ElementType::kUint8, {0}, ""),
                                 tensor_of("b", common::ElementType::kUint8, {400'000}, b)}};
  CHECK(bench.answer({list}).ends_with(R"("parameters":{"binary_data_size":400000}}]})" + a + b));
  CHECK(bench.response.parts.size() == (is_copied ? 0 : 2));
  CHECK((bench.pieces >= 3) == is_copied);
}

TEST_CASE("InferAnswer: long pictures are sent from their place, with the length of each between them", "[app][unit]") {
  InferBench bench(config_of(Task::kImage));
  ask_pictures(bench, 3, R"(,"parameters":{"binary_data_output":true})");
  std::vector<common::Prediction> files;
  std::string bytes;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto text = long_text(200'000, i);
    const auto raw = std::as_bytes(std::span(text.data(), text.size()));
    files.emplace_back(common::EncodedFile{common::FileType::kJpeg, {raw.begin(), raw.end()}});
    bytes += element(text);
  }
  CHECK(bench.answer(std::move(files)).ends_with(R"("parameters":{"binary_data_size":600012}}]})" + bytes));
  CHECK(bench.response.parts.size() == 5);
}

}  // namespace
}  // namespace yolod::app::api::oip
