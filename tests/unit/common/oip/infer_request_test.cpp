#include "common/oip/infer_request.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>

namespace yolod::common::oip {
namespace {

std::string why(std::string_view skeleton) {
  const auto request = parse_infer_request(skeleton, 1);
  return request ? "good" : request.error().message;
}

// Returns a request with one input of these members.
std::string with_input(const std::string& members) { return R"({"inputs":[{)" + members + "}]}"; }

TEST_CASE("InferRequest: all members are read", "[common][unit]") {
  const auto read = parse_infer_request(
      R"({"id":"42","parameters":{"binary_data_output":true,"priority":1,"timeout":1500,"confidence":0.5,"iou":1,)"
      R"("max_detections":7,"top_k":3,"sequence_id":0,"other":[1]},)"
      R"("inputs":[{"name":"x","shape":[2,3],"datatype":"FP32","parameters":{"binary_data_size":24}},)"
      R"({"name":"y","shape":[1],"datatype":"BYTES","data":0},{"name":"z","shape":[],"datatype":"BOOL"}],)"
      R"("outputs":[{"name":"a","parameters":{"binary_data":false}},{"name":"b","parameters":{"classification":5}}]})",
      1);
  REQUIRE(read.ok());
  const InferRequest& request = *read;
  CHECK(request.id == "42");
  CHECK(request.binary_outputs);
  CHECK(request.high_priority);
  CHECK(request.timeout_us == 1500);
  CHECK(request.confidence == 0.5F);
  CHECK(request.iou == 1.0F);
  CHECK(request.max_detections == 7U);
  CHECK(request.top_k == 3U);
  REQUIRE(request.inputs.size() == 3);
  CHECK(request.inputs[0].name == "x");
  CHECK(request.inputs[0].type == DataType::kFp32);
  CHECK(request.inputs[0].shape == std::vector<std::int64_t>{2, 3});
  CHECK(request.inputs[0].element_count == 6);
  CHECK(request.inputs[0].binary_bytes == 24U);
  CHECK(request.inputs[1].data == 0U);
  CHECK_FALSE(request.inputs[1].binary_bytes);
  CHECK(request.inputs[2].element_count == 1);
  CHECK(request.binary_bytes() == 24U);
  REQUIRE(request.outputs.size() == 2);
  CHECK(request.outputs[0].binary == false);
  CHECK_FALSE(request.outputs[1].binary);
  CHECK(request.outputs[1].classification == 5);
}

TEST_CASE("InferRequest: an empty id and empty outputs count as absent", "[common][unit]") {
  const auto read = parse_infer_request(R"({"id":"","inputs":[],"outputs":[]})", 0);
  REQUIRE(read.ok());
  CHECK(read->id.empty());
  CHECK(read->outputs.empty());
  CHECK_FALSE(read->binary_outputs);
  CHECK(read->binary_bytes() == 0U);
}

TEST_CASE("InferRequest: a malformed request is refused with the reason", "[common][unit]") {
  const std::string good = R"("name":"x","shape":[2],"datatype":"FP32")";
  CHECK(why(with_input(good)) == "good");
  CHECK(why("{") == "failed to parse the request JSON buffer: it is not well formed");
  CHECK(why("[]") == "failed to parse the request JSON buffer: it is not an object");
  CHECK(why("{}") == "the request must have 'inputs', an array");
  CHECK(why(R"({"id":4,"inputs":[]})") == "'id' must be a text");
  CHECK(why(R"({"inputs":[3]})") == "each of the inputs must have a 'name'");
  CHECK(why(R"({"inputs":[],"outputs":[{}]})") == "each of the outputs must have a 'name'");
  CHECK(why(with_input(R"("name":"x","shape":[2])")) == "input 'x' must have a 'datatype'");
  CHECK(why(with_input(R"("name":"x\u0007","shape":[2],"datatype":"FP8")")) ==
        R"(input 'x\x07' has the unknown datatype 'FP8')");
  CHECK(why(with_input(R"("name":"x","datatype":"FP32")")) == "input 'x' must have a 'shape'");
  for (const char* shape : {"[-1]", "[1.5]", "[9223372036854775808]", "[9223372036854775807,9223372036854775807]"}) {
    CHECK(why(with_input(R"("name":"x","datatype":"FP32","shape":)" + std::string(shape))) ==
          "the shape of input 'x' is not valid");
  }
  CHECK(why(with_input(R"("name":"x","datatype":"FP32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1])")) ==
        "input 'x' has more than 16 dimensions");
  CHECK(why(with_input(good + R"(,"data":1)")) == "'data' of input 'x' must be an array");
  CHECK(why(with_input(good + R"(,"data":"a")")) == "'data' of input 'x' must be an array");
  CHECK(why(with_input(good + R"(,"parameters":{"binary_data_size":7})")) ==
        "unexpected size 7 for input 'x', expecting 8 bytes for its shape");
  CHECK(why(with_input(good + R"(,"data":0,"parameters":{"binary_data_size":8})")) ==
        "input 'x' has both 'data' and 'binary_data_size'");
  CHECK(why(with_input(good + R"(,"parameters":{"shared_memory_region":"r"})")) ==
        "input 'x' is in shared memory, so it must have the parameter 'shared_memory_byte_size', a whole number");
  CHECK(why(with_input(R"("name":"x","shape":[1],"datatype":"BF16","data":0)")) ==
        "input 'x' has the datatype BF16, which JSON cannot carry: use the binary data format");
  CHECK(why(R"({"inputs":[{)" + good + "},{" + good + "}]}") == "input 'x' is given twice");
}

TEST_CASE("InferRequest: a parameter out of range is refused", "[common][unit]") {
  const auto with = [](const std::string& parameter) {
    const auto request = parse_infer_request(R"({"inputs":[],"parameters":{)" + parameter + "}}", 0);
    if (request) return std::string("good");
    CHECK(request.error().code == ErrorCode::kInvalidParameter);
    return request.error().message;
  };
  CHECK(with(R"("binary_data_output":1)") == "parameter 'binary_data_output' must be true or false");
  CHECK(with(R"("confidence":1.5)") == "parameter 'confidence' must be a number from 0 to 1");
  CHECK(with(R"("iou":"0.5")") == "parameter 'iou' must be a number from 0 to 1");
  CHECK(with(R"("max_detections":0)") == "parameter 'max_detections' must be a whole number from 1 to 4294967295");
  CHECK(with(R"("top_k":1001)") == "parameter 'top_k' must be a whole number from 1 to 1000");
  CHECK(with(R"("timeout":-1)") == "parameter 'timeout' must be a whole number");
  CHECK(with(R"("sequence_id":4)") == "parameter 'sequence_id' must be 0, because no model has sequences");
  CHECK(with(R"("triton_x":4)") == "parameter keys starting with 'triton_' are reserved: 'triton_x'");
  CHECK(with(R"("priority":0,"timeout":0,"unknown":"a")") == "good");
  CHECK(why(R"({"inputs":[],"parameters":3})") == "'parameters' must be an object");
}

TEST_CASE("InferRequest: sizes that overflow are refused", "[common][unit]") {
  const std::string most = "18446744073709551615";
  const auto read = parse_infer_request(
      R"({"inputs":[{"name":"a","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":)" + most +
          R"(}},{"name":"b","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":1}}]})",
      0);
  REQUIRE(read.ok());
  CHECK_FALSE(read->binary_bytes());
  CHECK(why(with_input(
                R"("name":"x","shape":[4611686018427387904],"datatype":"FP64","parameters":{"binary_data_size":0})"))
            .starts_with("unexpected size 0 for input 'x'"));
}

TEST_CASE("DataType: each type has its names and its size", "[common][unit]") {
  struct Case {
    DataType type;
    const char* name;
    const char* config_name;
    std::size_t bytes;
  };
  static constexpr std::array<Case, 6> kCases{{{DataType::kBool, "BOOL", "TYPE_BOOL", 1},
                                               {DataType::kUint16, "UINT16", "TYPE_UINT16", 2},
                                               {DataType::kBf16, "BF16", "TYPE_BF16", 2},
                                               {DataType::kFp32, "FP32", "TYPE_FP32", 4},
                                               {DataType::kInt64, "INT64", "TYPE_INT64", 8},
                                               {DataType::kBytes, "BYTES", "TYPE_STRING", 0}}};
  for (const auto& [type, name, in_config, bytes] : kCases) {
    CHECK(to_string(type) == name);
    CHECK(config_name(type) == in_config);
    CHECK(data_type_from(name) == type);
    CHECK(element_bytes(type) == bytes);
  }
  CHECK_FALSE(data_type_from("STRING"));
  CHECK_FALSE(data_type_from(""));
  CHECK(data_type_of(ElementType::kBool) == DataType::kBool);
  CHECK(data_type_of(ElementType::kFloat64) == DataType::kFp64);
}

}  // namespace
}  // namespace yolod::common::oip
