// Tests the answers to files that are not models. They must equal the table in docs/models.md.
#include "model/sources/file_kind.hpp"

#include <catch2/catch.hpp>
#include <cstddef>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "model/sources/darknet_files.hpp"
#include "model/sources/labels.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/checkpoint_files.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod::model;
using namespace yolod::tests;
using namespace std::string_literals;

namespace {

struct Mistake {
  std::string file;  // the name on the page
  Wanted named_as;
  std::string bytes;
};

std::string with_rest(std::string begin, std::size_t size = 1024) {
  begin.resize(std::max(begin.size(), size), '\x01');
  return begin;
}

std::string script_bytes() { return stored_zip({{"net/data.pkl", "x"}, {"net/constants.pkl", "x"}}); }

std::string state_dict_bytes() {
  return stored_zip(
      {{"net/data.pkl", model_pickle(text("t") + tensor("0", 1, 0, "", ""))}, {"net/data/0", "\0\0\0\0"s}});
}

std::string module_bytes() {
  return stored_zip({{"best/data.pkl", pickled("}" + text("model") + global("models.yolo", "Model") + ")\x81}bs")}});
}

// Returns a header of version 0.2 and `weights` weights of 0.
std::string weights_bytes(std::size_t weights) {
  return little(0, 4) + little(2, 4) + little(5, 4) + little(0, 8) + std::string(4 * weights, '\0');
}

std::string deflated_zip() {
  auto bytes = stored_zip({{"readme.txt", "text"}, {"best.onnx", "x"}});
  bytes[bytes.find("PK\x01\x02") + 10] = '\x08';  // the compression method in the directory
  return bytes;
}

std::string tar_bytes() {
  std::string bytes(1024, '\0');
  bytes.replace(0, 7, "best.pt");
  bytes.replace(257, 5, "ustar");
  return bytes;
}

// Returns a file of each kind that users give by mistake, with the key that names it.
std::vector<Mistake> mistakes() {
  const auto script = Wanted::kTorchScript;
  const auto weights = Wanted::kWeights;
  const auto cfg = Wanted::kCfg;
  const auto onnx =
      "\x08\x07\x12\x07pytorch\x1a\x06"
      "1.13.0:"s +
      with_rest("\xA8\x12"s);
  return {
      {"state dict (`torch.save(model.state_dict())`)", script, state_dict_bytes()},
      {"pickled module (`torch.save(model)`, YOLOv5's and YOLOv8's best.pt)", script, module_bytes()},
      {"the same", weights, module_bytes()},
      {"TorchScript", weights, script_bytes()},
      {"TorchScript", cfg, script_bytes()},
      {"TorchScript, cut short", script, script_bytes().substr(0, 60)},
      {"pickle", script, with_rest("\x80\x04\x95\x10\0\0\0\0\0\0\0"s)},
      {"Darknet weights", script, weights_bytes(100)},
      {"Darknet weights", cfg, weights_bytes(100)},
      {"Darknet weights", Wanted::kNames, weights_bytes(100)},
      {"Darknet weights, cut short", weights, weights_bytes(23)},
      {"Darknet weights of another network", weights, weights_bytes(25)},
      {"cfg", script, detector_cfg("")},
      {"cfg", weights, detector_cfg("")},
      {"cfg", Wanted::kNames, detector_cfg("")},
      {"ONNX", script, onnx},
      {"ONNX", weights, onnx},
      {"safetensors", script, little(64, 8) + with_rest("{\"__metadata__\":{\"format\":\"pt\"}}")},
      {"safetensors", weights, little(64, 8) + with_rest("{\"__metadata__\":{\"format\":\"pt\"}}")},
      {"TensorRT engine", script, with_rest("ptrt\x3A\0\0\0"s)},
      {"TensorRT engine of Ultralytics", script, little(40, 4) + with_rest("{\"description\": \"YOLOv8n\"}")},
      {"Keras .h5", script, with_rest("\x89HDF\r\n\x1A\n"s)},
      {"Keras .keras", script, stored_zip({{"metadata.json", "{}"}, {"model.weights.h5", "x"}})},
      {"TensorFlow Lite", script, with_rest("\x1C\0\0\0TFL3"s)},
      {"TensorFlow frozen graph (.pb)", script, with_rest("\x0A\x20\x0A\x06images\x12\x0BPlaceholder"s)},
      {"TensorFlow saved_model.pb", script, with_rest("\x08\x01\x12\xF0\x01\x0A\x10"s)},
      {"OpenVINO .xml", script, "<?xml version=\"1.0\"?>\n<net name=\"yolov8n\" version=\"11\">\n"},
      {"Core ML .mlmodel", script, with_rest("\x08\x04\x12\x60\x0A\x20"s)},
      {"ncnn .param", script, "7767517\n168 196\nInput in0 0 1 in0\n"},
      {"torch.export .pt2", script, stored_zip({{"net/archive_format", "pt2"}, {"net/version", "1"}})},
      {"NumPy .npy", script, with_rest("\x93NUMPY\x01\0"s)},
      {"NumPy .npz", script, stored_zip({{"a.npy", "x"}, {"b.npy", "x"}})},
      {"GGUF", script, with_rest("GGUF\x03\0\0\0"s)},
      {"Git LFS pointer", script, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 14400\n"},
      {"Git LFS pointer", weights, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 14400\n"},
      {"HTML page", script, "\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"},
      {"HTML page", weights, "<html>\n<body>404 Not Found</body></html>\n"},
      {"HTML page", cfg, "<!DOCTYPE html>\n<html></html>\n"},
      {"XML error of an object store", weights, "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>"},
      {"JSON error of an API", script, "{\"message\": \"Not Found\"}\n"},
      {"YAML or other text", script, "nc: 80\ndepth_multiple: 0.33\n"},
      {"gzip", script, with_rest("\x1F\x8B\x08"s)},
      {"tar", script, tar_bytes()},
      {"zip of something else", script, deflated_zip()},
      {"zip of something else", weights, deflated_zip()},
      {"picture", script, with_rest("\xFF\xD8\xFF\xE0"s)},
      {"program", script,
       with_rest("\x7F"
                 "ELF\x02"s)},
      {"empty file", script, ""},
      {"empty file", weights, ""},
      {"empty file", cfg, ""},
      {"empty file", Wanted::kNames, ""},
      {"random bytes", script, with_rest("\xE3\xB0\xC4\x42"s)},
      {"random bytes", weights, with_rest("\xE3\xB0\xC4\x42\x98\xFC\x1C\x14"s)},
  };
}

std::string word_for(Wanted wanted) {
  switch (wanted) {
    case Wanted::kTorchScript: return "torchscript";
    case Wanted::kWeights: return "weights";
    case Wanted::kCfg: return "cfg";
    case Wanted::kNames: return "names";
  }
  return {};
}

void erase_all(std::string& text, const std::string& what) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what)) text.erase(at, what.size());
}

// Returns the error of the reader for such a file, without the file's name. A weights file is read with the cfg of
// detector_cfg().
std::string answer_to(const std::filesystem::path& file, Wanted named_as, const TemporaryDirectory& folder) {
  const auto cfg = folder.write("yolo.cfg", detector_cfg(""));
  const auto read = [&]() -> yolod::common::Outcome<void> {
    switch (named_as) {
      case Wanted::kTorchScript: return check_kind(file, named_as);  // all checks before LibTorch
      case Wanted::kNames: {
        const auto names = darknet::read_names(file, 1);
        return names ? yolod::common::Outcome<void>() : names.error();
      }
      case Wanted::kCfg:
      case Wanted::kWeights: break;
    }
    const bool is_cfg = named_as == Wanted::kCfg;
    const yolod::common::DarknetSource source{is_cfg ? file : cfg, is_cfg ? std::filesystem::path() : file, {}};
    const auto network = read_network(source, std::nullopt);
    if (!network) return network.error();
    const auto weights = read_weights(source, *network);
    return weights ? yolod::common::Outcome<void>() : weights.error();
  };
  const auto outcome = read();
  if (outcome) return "(taken)";
  auto message = outcome.error().message;
  erase_all(message, file.string() + ": ");
  erase_all(message, folder.path().string() + "/");
  return message;
}

std::string row(const std::string& file, Wanted named_as, const std::string& answer) {
  return "| " + file + " | " + word_for(named_as) + " | " + answer + " |\n";
}

}  // namespace

TEST_CASE("FileKind: the table in docs/models.md has the answer for each kind of file that is not a model",
          "[model][unit]") {
  std::ifstream stream(source_directory() / "docs/models.md");
  const std::string page(std::istreambuf_iterator<char>(stream), {});
  const auto begin =
      "<!-- table: tests/unit/model/sources/file_kind_test.cpp -->\n| file | named as | answer |\n|---|---|---|\n"s;
  const auto from = page.find(begin);
  REQUIRE(from != std::string::npos);
  const auto told = page.substr(from + begin.size(), page.find("<!-- end of table -->", from) - from - begin.size());

  std::string made;
  for (const auto& [name, named_as, bytes] : mistakes()) {
    const TemporaryDirectory folder;
    made += row(name, named_as, answer_to(folder.write("given", bytes), named_as, folder));
  }
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder.path() / "plain");
  std::filesystem::create_directory(folder.path() / "saved");
  (void)folder.write("saved/saved_model.pb", "x");
  for (const auto named_as : {Wanted::kTorchScript, Wanted::kWeights, Wanted::kCfg, Wanted::kNames})
    made += row("directory", named_as, answer_to(folder.path() / "plain", named_as, folder));
  made += row("TensorFlow SavedModel", Wanted::kTorchScript,
              answer_to(folder.path() / "saved", Wanted::kTorchScript, folder));
  made += row("no such file", Wanted::kWeights, answer_to(folder.path() / "none", Wanted::kWeights, folder));
  if (told != made) std::cout << "The table as it should be:\n" << made;
  CHECK(told == made);
}

TEST_CASE("FileKind: a file that may be of the wanted kind is accepted", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto passes = [&](const std::string& bytes, Wanted wanted) {
    const auto good = check_kind(folder.write("given", bytes), wanted);
    return good ? std::string() : good.error().message;
  };
  CHECK(passes(script_bytes(), Wanted::kTorchScript) == "");
  CHECK(passes(with_rest("\0\0\0\0PTMF"s), Wanted::kTorchScript) == "");
  CHECK(passes(state_dict_bytes(), Wanted::kWeights) == "");
  CHECK(passes(weights_bytes(3), Wanted::kWeights) == "");
  CHECK(passes(with_rest(little(0, 4) + little(1, 4) + little(0, 4)), Wanted::kWeights) == "");
  CHECK(passes(detector_cfg(""), Wanted::kCfg) == "");
  CHECK(passes("\xEF\xBB\xBF# a comment\n\n[net]\n", Wanted::kCfg) == "");
  CHECK(passes("person\n[x]\n", Wanted::kNames) == "");
  CHECK(passes("[x]\nperson\n", Wanted::kNames) == "");
  CHECK(passes("classes=80\nnames=coco.names\n", Wanted::kNames) == "");
  CHECK(passes("caf\xE9\n", Wanted::kNames) == "");
  CHECK(check_kind(folder.path() / "none", Wanted::kTorchScript).ok());
  CHECK(check_kind("/dev/zero", Wanted::kTorchScript).ok());
  CHECK(check_kind("", Wanted::kWeights).ok());
}

TEST_CASE("FileKind: the errors for the files of the reports name their kinds", "[model][unit][skips]") {
  const auto cases = fault_cases();
  if (!cases) {
    WARN("SKIPPED: no fault cases");
    return;
  }
  const auto said = [&](const std::string& name) {
    auto message = check_kind(*cases / name, Wanted::kTorchScript).error().message;
    erase_all(message, (*cases / name).string() + ": ");
    return message;
  };
  CHECK(said("ts_state_dict.pt").starts_with("a PyTorch checkpoint, which holds weights without a network: "));
  CHECK(said("ts_model-onnx.pt") == "an ONNX network: export the network as TorchScript");
  CHECK(check_kind(*cases / "ts_ident.pt", Wanted::kTorchScript).ok());
  CHECK(check_kind(*cases / "ts_prints.pt", Wanted::kTorchScript).ok());
}

TEST_CASE("FileKind: files that are cut short or altered never crash the check", "[model][unit]") {
  const TemporaryDirectory folder;
  for (const auto& mistake : mistakes()) {
    const auto length = std::min<std::size_t>(mistake.bytes.size(), 48);
    for (std::size_t size = 0; size < length; ++size) {
      const auto file = folder.write("given", mistake.bytes.substr(0, size));
      const auto good = check_kind(file, mistake.named_as);
      if (!good) REQUIRE(good.error().message.find('\n') == std::string::npos);
    }
    for (std::size_t at = 0; at < length; ++at) {
      auto bytes = mistake.bytes;
      bytes[at] = '\xFF';
      (void)check_kind(folder.write("given", bytes), mistake.named_as).ok();
    }
  }
}
