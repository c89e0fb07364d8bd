// These tests send compressed requests to an InferHandler.
#include "common/oip/infer_request.hpp"
#include "tests/support/packed_bodies.hpp"
#include "tests/unit/app/api/oip/infer_bench.hpp"

namespace yolod::app::api::oip {
namespace {

using common::ContentKind;
using common::Task;

std::string many_pictures(std::size_t count, std::size_t bytes) {
  return R"({"inputs":[{"name":"image","shape":[)" + std::to_string(count) +
         R"(],"datatype":"BYTES","parameters":{"binary_data_size":)" + std::to_string(bytes) + "}}]}";
}

TEST_CASE("PackedRequest: each picture is a call with the whole body, its number and the size", "[app][unit]") {
  InferBench bench;
  bench.fields = "Content-Encoding: gzip\r\n";
  const std::string bytes = element("one") + element("second");
  const std::string json = many_pictures(2, bytes.size());
  const std::string body = tests::gzipped(json + bytes);
  REQUIRE(bench.ask(body, std::to_string(json.size()), 7) == "");
  REQUIRE(bench.calls.size() == 2);
  for (std::uint32_t i = 0; i < 2; ++i) {
    CHECK(bench.content(i) == body);
    CHECK(bench.calls[i].kind == ContentKind::kOip);
    CHECK(bench.calls[i].options.packing == common::Packing{json.size() + bytes.size(), i});
  }
  bench.fields = "Content-Encoding: deflate\r\n";
  const std::string texts = R"({"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["aGk="]}]})";
  REQUIRE(bench.ask(tests::deflated(texts)) == "");
  CHECK(bench.calls[0].options.packing == common::Packing{texts.size(), 0});
}

TEST_CASE("PackedRequest: a raw picture has the limit of bodies", "[app][unit]") {
  InferBench bench;
  bench.fields = "Content-Encoding: gzip\r\n";
  REQUIRE(bench.ask(tests::gzipped("picture"), "0") == "");
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.calls[0].kind == ContentKind::kFile);
  CHECK(bench.calls[0].options.packing == common::Packing{bench.server.max_body_bytes, 0});
}

TEST_CASE("PackedRequest: what a request declares is bounded before a worker sees it", "[app][unit]") {
  InferBench bench;
  bench.fields = "Content-Encoding: gzip\r\n";
  const auto ask = [&](const std::string& json) {
    return bench.ask(tests::gzipped(json + "xxxx"), std::to_string(json.size()));
  };
  CHECK(ask(many_pictures(1, bench.server.max_body_bytes)).find("bytes that are allowed") != std::string::npos);
  CHECK(ask(many_pictures(5, bench.server.max_body_bytes - 200)).find("send fewer pictures") != std::string::npos);
  CHECK(ask(many_pictures(4, bench.server.max_body_bytes - 200)) == "");
  CHECK(ask(many_pictures(65, 4)) == "inference request batch-size must be <= 64 for 'echo'");
  CHECK(ask(R"({"inputs":[{"name":"image","shape":[1],"datatype":"BYTES"}]})").find("must have 'data' or") !=
        std::string::npos);
  CHECK(bench.ask("no gzip", "3") == "unable to decompress the request: the body is not gzip or zlib data");
  bench.fields = "Content-Encoding: br\r\n";
  CHECK(bench.ask("x", "0") == "answered");
  CHECK(bench.response.status == boost::beast::http::status::not_implemented);
  CHECK(bench.response.fields.view() == "Accept-Encoding: gzip, deflate\r\n");
}

TEST_CASE("PackedRequest: a worker reads the tensors, and its answer has the request's header", "[app][unit]") {
  InferBench bench(config_of(Task::kTensor), tensor_description());
  bench.fields = "Content-Encoding: gzip\r\n";
  REQUIRE(bench.ask(tests::gzipped("anything")) == "");
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.calls[0].kind == ContentKind::kOip);
  CHECK(bench.calls[0].options.tensors);
  CHECK(bench.calls[0].options.packing == common::Packing{bench.server.max_body_bytes, 0});
  const auto answer_to = [&](const std::string& header) {
    common::NamedTensor tensor{"sum", {common::ElementType::kInt8, {1}, {std::byte{7}}}};
    common::TensorList list{{tensor, common::oip::header_tensor(header)}};
    return bench.answer({list});
  };
  const std::string inputs = R"("inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":0},)"
                             R"({"name":"y","shape":[1],"datatype":"INT8","data":1}])";
  CHECK(answer_to(R"({"id":"4",)" + inputs + "}") == R"({"id":"4","model_name":"echo","model_version":"3","outputs":[)"
                                                     R"({"name":"sum","datatype":"INT8","shape":[1],"data":[7]}]})");
  REQUIRE(bench.ask(tests::gzipped("anything")) == "");
  CHECK(answer_to("{" + inputs + R"(,"parameters":{"confidence":0.5}})") ==
        R"({"error":"confidence, iou and max_detections are for models that detect"})");
  CHECK(bench.response.status == boost::beast::http::status::bad_request);
}

TEST_CASE("PackedRequest: a long answer is compressed if the client accepts that", "[app][unit]") {
  InferBench bench(config_of(Task::kTensor), tensor_description());
  bench.fields = "Accept-Encoding: gzip\r\n";
  const std::string json = R"({"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[0]},)"
                           R"({"name":"y","shape":[1],"datatype":"INT8","data":[0]}]})";
  const auto answer_of = [&](std::int64_t count) {
    REQUIRE(bench.ask(json) == "");
    common::TensorArray array{
        common::ElementType::kInt8, {count}, std::vector<std::byte>(static_cast<std::size_t>(count))};
    return bench.answer({common::TensorList{{{"z", array}}}});
  };
  const auto text = tests::unpacked(answer_of(2000));
  REQUIRE(text.has_value());
  CHECK(text->ends_with(",0,0]}]}"));
  CHECK(bench.response.fields.view() == "Content-Encoding: gzip\r\n");
  CHECK(answer_of(10).starts_with("{"));
  CHECK(bench.response.fields.view().empty());
}

}  // namespace
}  // namespace yolod::app::api::oip
