#include "app/triton_model.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/proto_text.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app {
namespace {

using common::oip::DataType;
using Kind = ProtoField::Kind;

std::string fault_of(std::string_view text) {
  const auto parsed = parse_proto_text(text);
  return parsed ? "good" : parsed.error().message;
}

TEST_CASE("ProtoText: fields, messages, lists and strings", "[app][unit]") {
  const auto parsed = parse_proto_text(
      "# a comment\n"
      "name: \"a\\\"b\" 'c'\n"
      "count: -3, word: TYPE_FP32;\n"
      "dims: [ 1, -1 ]\n"
      "empty: []\n"
      "input [ { x: 1 }, { x: 2 } ]\n"
      "group { inner < y: true > } # end");
  REQUIRE(parsed.ok());
  const auto& fields = parsed->fields;
  REQUIRE(fields.size() == 8);
  CHECK(fields[0].text == "a\"bc");
  CHECK(fields[0].kind == Kind::kText);
  CHECK(fields[0].line == 2);
  CHECK(fields[1].text == "-3");
  CHECK(fields[2].text == "TYPE_FP32");
  CHECK(fields[2].kind == Kind::kWord);
  CHECK(fields[3].text == "1");
  CHECK(fields[4].text == "-1");
  CHECK(fields[5].name == "input");
  CHECK(fields[6].message.fields.at(0).text == "2");
  CHECK(fields[7].message.fields.at(0).message.fields.at(0).text == "true");
  CHECK(parse_proto_text("")->fields.empty());
  CHECK(parse_proto_text("#")->fields.empty());
}

TEST_CASE("ProtoText: a malformed text is an error with its line", "[app][unit]") {
  CHECK(fault_of("a 1") == "line 1: ':' or '{' is expected after a");
  CHECK(fault_of("\n\n: 1") == "line 3: a field's name is expected, not ':'");
  CHECK(fault_of("a: ") == "line 1: a value is expected, not the end of the text");
  CHECK(fault_of("a {") == "line 1: the text ends before a closing }");
  CHECK(fault_of("a: [1, 2") == "line 1: the text ends before a closing ]");
  CHECK(fault_of("a: \"x") == "line 1: a string has no end");
  CHECK(fault_of("a: \"x\ny\"") == "line 1: a string ends with its line");
  CHECK(fault_of("a: \"\\n\"").starts_with("line 1: of the escapes"));
  CHECK(fault_of("a: \"\\") != "good");
  CHECK(fault_of("a }") != "good");
  CHECK(fault_of("}") != "good");
  CHECK(fault_of(std::string("a: \0", 4)) != "good");
  CHECK(fault_of(std::string(kMostProtoBytes + 1, ' ')) == "the text has more than 65536 bytes");
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "a {";
  CHECK(fault_of(deep) == "line 1: the messages are nested too deep");
}

// The text of a config.pbtxt that Triton's documentation shows for PyTorch.
const std::string kExample =
    "name: \"resnet\"\n"
    "platform: \"pytorch_libtorch\"\n"
    "max_batch_size: 16\n"
    "input [\n  {\n    name: \"INPUT__0\"\n    data_type: TYPE_FP32\n    format: FORMAT_NCHW\n"
    "    dims: [ 3, 224, 224 ]\n  }\n]\n"
    "output [ { name: \"OUTPUT__0\" data_type: TYPE_FP32 dims: [ 1000 ] } ]\n"
    "instance_group [ { count: 2 kind: KIND_CPU } ]\n"
    "dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 5000 }\n";

TEST_CASE("TritonModel: a config.pbtxt becomes a model on tensors", "[app][unit]") {
  const auto model = parse_triton_config(kExample, "resnet", "/m/1/model.pt");
  if (!model) FAIL(model.error().message);
  CHECK(model->name == "resnet");
  CHECK(model->task == common::Task::kTensor);
  CHECK(std::get<common::TorchScriptSource>(model->source).file == "/m/1/model.pt");
  CHECK(model->workers == 2);
  CHECK(model->batch.max_rows == 16);
  CHECK(model->batch.max_wait == common::milliseconds(5));
  REQUIRE(model->inputs.size() == 1);
  CHECK(model->inputs[0] == common::TensorConfig{"INPUT__0", DataType::kFp32, {-1, 3, 224, 224}, 0});
  CHECK(model->outputs[0] == common::TensorConfig{"OUTPUT__0", DataType::kFp32, {-1, 1000}, 0});
}

TEST_CASE("TritonModel: without max_batch_size the dims are the shape", "[app][unit]") {
  const auto model = parse_triton_config(
      "backend: \"pytorch\" input { name: \"values\" data_type: TYPE_INT64 dims: -1 dims: 5 } "
      "input { name: \"i__1\" data_type: TYPE_BOOL dims: [] }",
      "m", "f");
  if (!model) FAIL(model.error().message);
  CHECK(model->workers == 1);
  CHECK(model->batch.max_rows == 0);
  CHECK(model->inputs[0] == common::TensorConfig{"values", DataType::kInt64, {-1, 5}});
  CHECK(model->inputs[1] == common::TensorConfig{"i__1", DataType::kBool, {}, 1});
  CHECK(model->outputs.empty());
}

TEST_CASE("TritonModel: a sentence says what is not supported", "[app][unit]") {
  const std::string begin = "backend: \"pytorch\"\ninput { name: \"x\" data_type: TYPE_FP32 dims: 1 }\n";
  const auto why = [&](const std::string& more) {
    const auto model = parse_triton_config(begin + more, "m", "f");
    return model ? "good" : model.error().message;
  };
  CHECK(why("") == "good");
  CHECK(why("name: \"m\"") == "good");
  CHECK(why("name: \"n\"") == "line 3: name must be \"m\"");
  CHECK(why("platform: \"onnxruntime_onnx\"") == "line 3: platform must be \"pytorch_libtorch\"");
  CHECK(why("sequence_batching { }").starts_with("line 3: this server does not follow the key sequence_batching; it"));
  CHECK(why("version_policy: { all { } }").starts_with("line 3: this server does not follow the key version_policy"));
  CHECK(why("instance_group { count: 2 kind: KIND_GPU }") == "line 3: kind must be \"KIND_AUTO\" or \"KIND_CPU\"");
  CHECK(why("instance_group { count: 300 }") == "line 3: count must be a whole number from 1 to 256");
  CHECK(why("instance_group [{ count: 200 }, { count: 200 }]") == "line 3: the model has too many instances");
  CHECK(why("max_batch_size: -1") == "line 3: max_batch_size must be a whole number from 0 to 65536");
  CHECK(why("max_batch_size: \"8\"") == "line 3: max_batch_size must be a whole number from 0 to 65536");
  CHECK(why("dynamic_batching: 1") == "line 3: dynamic_batching must be a message");
  CHECK(why("dynamic_batching { priority_levels: 2 }").find("priority_levels") != std::string::npos);
  CHECK(why("input { name: \"s\" data_type: TYPE_STRING dims: 1 }") ==
        "line 3: no model of LibTorch takes or gives TYPE_STRING");
  CHECK(why("input { name: \"x\" data_type: TYPE_FP32 dims: 1 }") == "line 3: two tensors have the name x");
  CHECK(why("input { name: \"y\" data_type: TYPE_FP32 dims: 0 }") == "line 3: a side of dims must not be 0");
  CHECK(why("input { name: \"y\" data_type: TYPE_FP32 dims: -2 }").starts_with("line 3: dims must be a whole number"));
  CHECK(why("input { name: \"y\" dims: 1 }") == "line 3: input must have a name and a data_type");
  CHECK(why("input { name: \"y\" data_type: TYPE_FP32 dims: 1 reshape { } }").find("reshape") != std::string::npos);
  CHECK(parse_triton_config("input { }", "m", "f").error().message ==
        "platform: \"pytorch_libtorch\" or backend: \"pytorch\" is missing");
  CHECK(parse_triton_config("backend: \"pytorch\"", "m", "f").error().message == "the model has no input");
}

TEST_CASE("TritonModel: the largest version with a file is the model", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  const auto model_folder = folder.path() / "resnet";
  const auto put = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories((model_folder / name).parent_path());
    std::ofstream(model_folder / name) << text;
  };
  put("config.pbtxt", kExample);
  CHECK(read_triton_model(model_folder, "resnet").error().message ==
        "there is no version with the file model.pt, such as 1/model.pt");
  put("2/model.pt", "x");
  put("10/model.pt", "x");
  put("11/other.pt", "x");
  put("012x/model.pt", "x");
  const auto file_of = [&] {
    const auto model = read_triton_model(model_folder, "resnet");
    return model ? std::get<common::TorchScriptSource>(model->source).file.string() : model.error().message;
  };
  CHECK(file_of() == (model_folder / "10/model.pt").string());
  put("config.pbtxt", kExample + "default_model_filename: \"other.pt\"");
  CHECK(file_of() == (model_folder / "11/other.pt").string());
  put("config.pbtxt", kExample);
  for (int i = 0; i < 1024; ++i) put("file" + std::to_string(i), "");
  CHECK(file_of() == "the folder has more than 1024 entries");
  put("config.pbtxt", kExample + "default_model_filename: \"../x\"");
  CHECK(file_of() == "config.pbtxt: line 15: default_model_filename must be the name of a file");
  put("config.pbtxt", kExample + "a b");
  CHECK(file_of() == "config.pbtxt: line 15: ':' or '{' is expected after a");
}

}  // namespace
}  // namespace yolod::app
