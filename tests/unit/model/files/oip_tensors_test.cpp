#include "model/files/oip_tensors.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "common/oip/infer_request.hpp"

namespace yolod::model {
namespace {

using common::ElementType;
using common::oip::DataType;

template <typename Number>
std::vector<Number> numbers(const std::vector<std::byte>& bytes) {
  std::vector<Number> values(bytes.size() / sizeof(Number));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

template <typename... Numbers>
std::string raw(Numbers... values) {
  std::string bytes;
  (bytes.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
  return bytes;
}

std::string why(std::string_view array, DataType type, std::uint64_t count) {
  const auto read = read_json_numbers(array, type, count);
  return read ? "good" : read.error().message;
}

TEST_CASE("OipTensors: JSON numbers, nested or flat, are converted", "[model][unit]") {
  const auto floats = read_json_numbers(" [ [1,-2.5e3] , [0.1, 7 ] ] ", DataType::kFp32, 4);
  REQUIRE(floats.ok());
  CHECK(numbers<float>(*floats) == std::vector<float>{1, -2500, 0.1F, 7});
  CHECK(numbers<double>(*read_json_numbers("[1e-300]", DataType::kFp64, 1)) == std::vector<double>{1e-300});
  CHECK(numbers<float>(*read_json_numbers("[1e-50,-1e-46]", DataType::kFp32, 2)) == std::vector<float>{0, 0});
  CHECK(numbers<double>(*read_json_numbers("[1e-400 , -4e-5000]", DataType::kFp64, 2)) == std::vector<double>{0, 0});
  CHECK(numbers<float>(*read_json_numbers("[1e-400]", DataType::kFp32, 1)) == std::vector<float>{0});
  const std::string zeros(500, '0');
  const std::string tiny = "[0." + zeros + "1,1" + zeros + "e-1000,0.1e-99999999999999999999]";
  CHECK(numbers<double>(*read_json_numbers(tiny, DataType::kFp64, 3)) == std::vector<double>{0, 0, 0});
  CHECK(numbers<std::int64_t>(*read_json_numbers("[-9223372036854775808]", DataType::kInt64, 1)).front() == INT64_MIN);
  CHECK(numbers<std::uint64_t>(*read_json_numbers("[18446744073709551615]", DataType::kUint64, 1)).front() ==
        UINT64_MAX);
  CHECK(numbers<std::uint8_t>(*read_json_numbers("[true,false]", DataType::kBool, 2)) ==
        std::vector<std::uint8_t>{1, 0});
  CHECK(read_json_numbers("[]", DataType::kInt8, 0)->empty());
  CHECK(read_json_numbers("[[],[]]", DataType::kInt8, 0)->empty());
  const auto odd = numbers<float>(*read_json_numbers("[NaN,Infinity,-Infinity]", DataType::kFp32, 3));
  CHECK(std::isnan(odd[0]));
  CHECK(odd[1] == std::numeric_limits<float>::infinity());
  CHECK(odd[2] == -std::numeric_limits<float>::infinity());
}

TEST_CASE("OipTensors: an array that is malformed or does not fit its type is refused", "[model][unit]") {
  const std::string what = "'data' is not an array of 1 elements of the type ";
  for (const char* array :
       {"[1",    "[1,]",  "[,1]",   "[1]]", "[1][",    "[[1]",  "10",     "[1 2]",   "[01x]",  "[0x1]", "[+1]", "[.5]",
        "[nan]", "[inf]", "[-inf]", "[-]",  "[1e999]", "[1,2]", "[null]", "[\"1\"]", "[1[2]]", "[1],",  "[--1]"}) {
    CAPTURE(array);
    CHECK(why(array, DataType::kFp32, 1) == what + "FP32");
  }
  CHECK(why("[128]", DataType::kInt8, 1) == what + "INT8");
  CHECK(why("[-1]", DataType::kUint8, 1) == what + "UINT8");
  CHECK(why("[1.0]", DataType::kInt32, 1) == what + "INT32");
  CHECK(why("[1e40]", DataType::kFp32, 1) == what + "FP32");
  CHECK(why("[-1e400]", DataType::kFp64, 1) == what + "FP64");
  CHECK(why("[1e9999]", DataType::kFp64, 1) == what + "FP64");
  CHECK(why("[1e99999999999999999999]", DataType::kFp64, 1) == what + "FP64");
  CHECK(why("[0.001e+400]", DataType::kFp64, 1) == what + "FP64");
  CHECK(why("[1" + std::string(500, '0') + "e-100]", DataType::kFp64, 1) == what + "FP64");
  CHECK(why("[1e-400e1]", DataType::kFp64, 1) == what + "FP64");
  CHECK(why("[1e-400x]", DataType::kFp64, 1) == what + "FP64");
  CHECK(why("[1]", DataType::kBool, 1) == what + "BOOL");
  CHECK(why("[true]", DataType::kFp32, 1) == what + "FP32");
  CHECK(why("[NaN]", DataType::kInt32, 1) == what + "INT32");
  CHECK(why("[1]", DataType::kFp32, 1'000'000'000'000) == "'data' has fewer elements than the shape");
  CHECK(why(std::string(18, '[') + "1" + std::string(18, ']'), DataType::kFp32, 1) == what + "FP32");
}

TEST_CASE("OipTensors: tensors in JSON and in binary form are read in the model's order", "[model][unit]") {
  const std::string json =
      R"({"inputs":[{"name":"b","shape":[2],"datatype":"INT16","parameters":{"binary_data_size":4}},)"
      R"({"name":"a","shape":[1,2],"datatype":"FP32","data":[[1,2]]},)"
      R"({"name":"c","shape":[2],"datatype":"BF16","parameters":{"binary_data_size":4}},)"
      R"({"name":"d","shape":[0],"datatype":"UINT8","parameters":{"binary_data_size":0}}]}  )";
  const std::string body = json + raw(std::int16_t{3}, std::int16_t{-4}, std::uint16_t{0x3FC0}, std::uint16_t{0xC000});
  const auto arrays = read_oip_tensors(body, {"a", "b"}, true);
  REQUIRE(arrays.ok());
  REQUIRE(arrays->size() == 4);
  CHECK((*arrays)[0].shape == std::vector<std::int64_t>{1, 2});
  CHECK(numbers<float>((*arrays)[0].bytes) == std::vector<float>{1, 2});
  CHECK((*arrays)[1].type == ElementType::kInt16);
  CHECK(numbers<std::int16_t>((*arrays)[1].bytes) == std::vector<std::int16_t>{3, -4});
  CHECK((*arrays)[2].type == ElementType::kFloat32);
  CHECK(numbers<float>((*arrays)[2].bytes) == std::vector<float>{1.5F, -2});
  CHECK((*arrays)[3].bytes.empty());
}

TEST_CASE("OipTensors: a single tensor may leave out its size", "[model][unit]") {
  const auto arrays = read_oip_tensors(
      R"({"inputs":[{"name":"a","shape":[2],"datatype":"BF16"}]} )" + raw(std::uint16_t{0x3F80}, std::uint16_t{0x4000}),
      {"a"}, false);
  REQUIRE(arrays.ok());
  CHECK(numbers<float>(arrays->front().bytes) == std::vector<float>{1, 2});
}

TEST_CASE("OipTensors: a request that the front-end would not send is refused", "[model][unit]") {
  const auto refused = [](const std::string& body) { return read_oip_tensors(body, {"a"}, false).error().message; };
  CHECK(refused("{").find("the text ends within its object") != std::string::npos);
  CHECK(refused(R"({"inputs":[]})") == "the input 'a' is missing");
  CHECK(refused(R"({"inputs":[{"name":"a","shape":[1],"datatype":"INT8","data":[1]},)"
                R"({"name":"b","shape":[1],"datatype":"INT8","data":[1]}]})") ==
        "the model does not take the input 'b'");
  CHECK(refused(R"({"inputs":[{"name":"a","shape":[1],"datatype":"BYTES","data":["x"]}]})") ==
        "input 'a' has a type that no model takes");
  CHECK(refused(R"({"inputs":[{"name":"a","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}abc)") ==
        "the body has too few bytes");
  CHECK(refused(R"({"inputs":[{"name":"a","shape":[2],"datatype":"FP32","data":[1,"x"]}]})") ==
        "input 'a': 'data' is not an array of 2 elements of the type FP32");
}

TEST_CASE("OipTensors: a raw tensor has the declared shape, and its open length follows from the bytes",
          "[model][unit]") {
  common::TensorConfig tensor{"x", DataType::kFp32, {-1, 2}};
  const std::string bytes = raw(1.0F, 2.0F, 3.0F, 4.0F);
  const auto array = read_raw_tensor(bytes, tensor);
  REQUIRE(array.ok());
  CHECK(array->shape == std::vector<std::int64_t>{2, 2});
  CHECK(numbers<float>(array->bytes) == std::vector<float>{1, 2, 3, 4});
  CHECK_FALSE(read_raw_tensor(bytes.substr(4), tensor));
  tensor.shape = {4};
  CHECK(read_raw_tensor(bytes, tensor).ok());
  tensor.shape = {5};
  CHECK(read_raw_tensor(bytes, tensor).error().message == "input 'x' has too few or too many bytes for its shape");
  tensor.shape = {-1, 0};
  CHECK_FALSE(read_raw_tensor(bytes, tensor));
}

TEST_CASE("OipTensors: the header of a request is a tensor for the front-end", "[model][unit]") {
  std::string header;
  const auto arrays = read_oip_tensors(R"({"id":"1","inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[7]}]})",
                                       {"x"}, false, &header);
  REQUIRE(arrays.ok());
  CHECK(header == R"({"id":"1","inputs":[{"name":"x","shape":[1],"datatype":"INT8","data": 0 }]})");
  const auto tensor = common::oip::header_tensor(header);
  CHECK(tensor.name.empty());
  CHECK(tensor.array.bytes.size() == header.size());
}

}  // namespace
}  // namespace yolod::model
