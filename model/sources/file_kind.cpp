#include "model/sources/file_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/checkpoint/checkpoint.hpp"
#include "model/checkpoint/source.hpp"
#include "model/files/byte_source.hpp"
#include "model/files/zip_archive.hpp"
#include "model/image/codec/codecs.hpp"

namespace yolod::model {
namespace {

using namespace std::string_view_literals;
using checkpoint::Source;

constexpr std::size_t kLookedBytes = 4096;

constexpr auto kExport = "export the network as TorchScript"sv;
constexpr auto kInterrupted = "was its copy or download interrupted?"sv;
constexpr auto kUnpack = "unpack it first"sv;

struct Signature {
  std::string_view magic;
  std::size_t at;
  std::string_view what;
  std::string_view advice;
};

constexpr std::array kSignatures{
    Signature{"version https://git-lfs.github.com/spec/"sv, 0, "a Git LFS pointer without the file's content",
              "fetch the file itself with git lfs pull"},
    Signature{"\x89HDF\r\n\x1A\n"sv, 0, "an HDF5 file, as Keras writes it", kExport},
    Signature{"TFL3"sv, 4, "a TensorFlow Lite network", kExport},
    Signature{"ptrt"sv, 0, "a TensorRT engine, which is for one kind of GPU", kExport},
    Signature{"ftrt"sv, 0, "a TensorRT engine, which is for one kind of GPU", kExport},
    Signature{"7767517\n"sv, 0, "an ncnn network", kExport},
    Signature{"GGUF"sv, 0, "a GGUF file", kExport},
    Signature{"RKNN"sv, 0, "an RKNN network, which is for one kind of chip", kExport},
    Signature{"\x93NUMPY"sv, 0, "a NumPy array, not a network", kExport},
    Signature{"\x1F\x8B"sv, 0, "a gzip archive", kUnpack},
    Signature{"\xFD"
              "7zXZ\0"sv,
              0, "an xz archive", kUnpack},
    Signature{"\x28\xB5\x2F\xFD"sv, 0, "a Zstandard archive", kUnpack},
    Signature{"BZh"sv, 0, "a bzip2 archive", kUnpack},
    Signature{"7z\xBC\xAF\x27\x1C"sv, 0, "a 7-Zip archive", kUnpack},
    Signature{"Rar!\x1A\x07"sv, 0, "a RAR archive", kUnpack},
    Signature{"ustar"sv, 257, "a tar archive", kUnpack},
    Signature{"\x7F"
              "ELF"sv,
              0, "a program, not a network", "name the network's file"},
    Signature{"%PDF-"sv, 0, "a PDF document, not a network", "name the network's file"},
};

// The description of a file, and the advice.
struct Finding {
  std::string what;
  std::string advice;
};

std::optional<Finding> refuse(std::string_view what, std::string_view advice) {
  return Finding{std::string(what), std::string(advice)};
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<std::uint8_t>(bytes[at]) : 0;
}

bool has(std::string_view bytes, std::string_view magic, std::size_t at) {
  return bytes.size() >= at && bytes.substr(at).starts_with(magic);
}

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\x1B';
  });
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return made;
}

// Returns whether the first line that is neither blank nor a comment begins the section that Darknet expects first.
bool is_cfg(std::string_view text) {
  text = common::without_byte_order_mark(text);
  while (!text.empty()) {
    const auto newline = text.find('\n');
    const auto line = common::trimmed(text.substr(0, newline));
    if (!line.empty() && line.front() != '#' && line.front() != ';')
      return line.starts_with("[net]") || line.starts_with("[network]");
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  }
  return false;
}

// All published files have version 0.1 or 0.2; files of other programs begin likewise.
bool is_darknet_weights(std::string_view bytes, std::uint64_t size) {
  if (bytes.size() < 16 || size % 4 != 0) return false;
  const auto number = [bytes](std::size_t at) {
    return little_endian(std::as_bytes(std::span(bytes.substr(at, 4))), 4);
  };
  return number(0) == 0 && (number(4) == 1 || number(4) == 2) && number(8) <= 10;
}

// Reads a protobuf length at `at` and moves `at` behind it. Returns 0 if the length is too large to be valid here.
std::uint64_t take_varint(std::string_view bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const auto byte = byte_at(bytes, at++);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  return 0;
}

// Recognises networks that are protobuf messages by their first fields.
std::string_view protobuf_network(std::string_view bytes) {
  constexpr std::uint8_t kVersion = 0x08;  // field 1, a number
  constexpr std::uint8_t kFirst = 0x0A;    // field 1, with a length
  constexpr std::uint8_t kSecond = 0x12;   // field 2, with a length
  constexpr std::uint8_t kMaxVersion = 30;
  if (byte_at(bytes, 0) == kVersion && byte_at(bytes, 1) >= 1 && byte_at(bytes, 1) <= kMaxVersion) {
    std::size_t at = 3;
    const auto length = take_varint(bytes, at);
    switch (byte_at(bytes, 2)) {
      case kSecond: {
        // Either the producer's name in ONNX, or a message in the other formats.
        const bool message = byte_at(bytes, at) == kFirst && length > 1;
        const auto name = bytes.substr(std::min(at, bytes.size()), length);
        if (message) return byte_at(bytes, 1) == 1 ? "a TensorFlow network"sv : "a Core ML network"sv;
        if (length < 64 && is_text(name)) return "an ONNX network";
        return {};
      }
      case 0x1A:    // the producer's version
      case 0x22:    // domain
      case 0x3A:    // graph
      case 0x42: {  // operator sets
        return length > 0 ? "an ONNX network"sv : ""sv;
      }
      default: return {};
    }
  }
  if (byte_at(bytes, 0) != kFirst) return {};
  std::size_t at = 1;  // a node of a GraphDef has a name and an operation
  if (take_varint(bytes, at) == 0 || byte_at(bytes, at++) != kFirst) return {};
  const auto length = take_varint(bytes, at);
  if (length == 0 || length > 512 || byte_at(bytes, at + length) != kSecond) return {};
  return is_text(bytes.substr(at, length)) ? "a TensorFlow network"sv : ""sv;
}

bool is_safetensors(std::string_view bytes, std::uint64_t size) {
  if (bytes.size() < 10) return false;
  const auto header = little_endian(std::as_bytes(std::span(bytes)), 8);
  return header >= 2 && header <= size - 8 && bytes[8] == '{' && (bytes[9] == '"' || bytes[9] == '}');
}

// Recognises Ultralytics' format: the length of a JSON description, the description, and then the engine.
bool is_described_engine(std::string_view bytes, std::uint64_t size) {
  if (bytes.size() < 8) return false;
  const auto header = little_endian(std::as_bytes(std::span(bytes)), 4);
  return header >= 2 && header <= size - 4 && bytes.substr(4, 2) == "{\"";
}

std::optional<Finding> find_text(std::string_view text, Wanted wanted) {
  const auto plain = lower(common::trimmed(common::without_byte_order_mark(text)));
  const auto begin = std::string_view(plain).substr(std::min(plain.find_first_not_of("\n"), plain.size()));
  if (begin.starts_with("<!doctype html") || begin.starts_with("<html"))
    return refuse("an HTML page", "the download fetched a web page instead of the file");
  if ((begin.starts_with("<?xml") && begin.find("<net ") != std::string_view::npos) || begin.starts_with("<net "))
    return refuse("an OpenVINO network", kExport);
  if (begin.starts_with("<?xml"))
    return refuse("an XML document", "the download may have fetched an error message instead of the file");
  if (begin.starts_with('{'))
    return refuse("JSON text", "the download may have fetched an error message instead of the file");
  if (wanted == Wanted::kCfg) return std::nullopt;
  if (is_cfg(text)) return refuse("a Darknet cfg", "name it as cfg, and the weights as weights");
  if (wanted == Wanted::kNames) return std::nullopt;
  return refuse("a text file, not a network", "name the network's file");
}

std::optional<Finding> find_checkpoint(const std::filesystem::path& file, Wanted wanted) {
  if (wanted == Wanted::kWeights) return std::nullopt;
  if (wanted != Wanted::kTorchScript) return refuse("a PyTorch checkpoint", "name it as weights");
  const auto opened = checkpoint::Checkpoint::open(file);
  constexpr auto kNeeds = ": it needs the Python object "sv;
  if (const auto at = opened ? std::string::npos : opened.error().message.find(kNeeds); at != std::string::npos) {
    const auto name = opened.error().message.substr(at + kNeeds.size());
    return refuse("a PyTorch checkpoint that only Python can load, as it holds the Python object " +
                      name.substr(0, name.find(',')),
                  "export the network as TorchScript there (Ultralytics: yolo export format=torchscript)");
  }
  return refuse("a PyTorch checkpoint, which holds weights without a network",
                "load them in Python and save the network with torch.jit.trace, or name the file as weights with a "
                "Darknet cfg");
}

std::optional<Finding> find_zip(const std::filesystem::path& file, const Source& source, Wanted wanted) {
  const auto names = ZipArchive::names(source);
  if (!names) return refuse("a PyTorch file, or another zip archive, that is damaged or cut short", kInterrupted);
  const auto any = [&names](auto matches) { return std::any_of(names->begin(), names->end(), matches); };
  // All files of PyTorch lie in one folder.
  const auto in_folder = [](std::string_view name, std::string_view wanted_name) {
    return name.ends_with(wanted_name) && name.find('/') == name.size() - wanted_name.size() - 1;
  };
  if (any([&](const auto& name) { return in_folder(name, "constants.pkl"); })) {
    if (wanted == Wanted::kTorchScript) return std::nullopt;
    return refuse("a TorchScript file", "name it as torchscript, without a cfg");
  }
  if (any([&](const auto& name) { return in_folder(name, "data.pkl"); })) return find_checkpoint(file, wanted);
  if (any([](const auto& name) { return name == "model.weights.h5"; })) return refuse("a Keras network", kExport);
  if (any([](const auto& name) {
        return name.ends_with("archive_format") || name == "serialized_exported_program.json";
      }))
    return refuse("a program of torch.export", "save the network with torch.jit.trace instead");
  const bool arrays = !names->empty() && !any([](const auto& name) { return !name.ends_with(".npy"); });
  if (arrays) return refuse("an archive of NumPy arrays, not a network", kExport);
  return refuse("a zip archive without a file of PyTorch's in it", kUnpack);
}

std::optional<Finding> find_binary(std::string_view begin, std::uint64_t size, Wanted wanted) {
  for (const auto& [magic, at, what, advice] : kSignatures) {
    if (has(begin, magic, at)) return refuse(what, advice);
  }
  if (is_safetensors(begin, size)) {
    return refuse("a safetensors file, which holds weights without a network",
                  "load them in Python and save the network with torch.jit.trace");
  }
  if (is_described_engine(begin, size)) return refuse("a TensorRT engine, which is for one kind of GPU", kExport);
  if (const auto name = protobuf_network(begin); !name.empty()) return refuse(name, kExport);
  if (image::codec::format_of(std::as_bytes(std::span(begin))))
    return refuse("a picture, not a network", "name the network's file");
  if (is_darknet_weights(begin, size) && wanted != Wanted::kWeights)
    return refuse("a Darknet weights file", "name it as weights, and its cfg as cfg");
  return std::nullopt;
}

std::optional<Finding> find(const std::filesystem::path& file, Wanted wanted) {
  std::error_code status;
  if (std::filesystem::is_directory(file, status)) {
    if (std::filesystem::exists(file / "saved_model.pb", status))
      return refuse("the directory of a TensorFlow network", kExport);
    return refuse("a directory", "name the file in it");
  }
  const auto source = Source::open(file);
  if (!source) return std::nullopt;
  if (source->size() == 0) return refuse("an empty file", kInterrupted);
  const auto bytes = source->bytes(0, std::min<std::uint64_t>(source->size(), kLookedBytes));
  if (!bytes) return std::nullopt;
  const std::string_view begin = *bytes;
  if (begin.starts_with("PK\x03\x04")) return find_zip(file, *source, wanted);
  if (checkpoint::is_checkpoint(file)) return find_checkpoint(file, wanted);
  if (auto found = find_binary(begin, source->size(), wanted)) return found;
  const bool pickle = byte_at(begin, 0) == 0x80 && byte_at(begin, 1) >= 2 && byte_at(begin, 1) <= 5;
  if (pickle && wanted != Wanted::kNames)
    return refuse("a Python pickle, which only Python can load", "export the network as TorchScript there");
  if (is_text(begin)) return find_text(begin, wanted);
  constexpr auto kFlatbuffer = "PTMF"sv;  // the other format of TorchScript
  if (wanted == Wanted::kTorchScript && !has(begin, kFlatbuffer, 4))
    return refuse("not a TorchScript file, and not a known kind of file", "name the network's file");
  return std::nullopt;
}

}  // namespace

common::Outcome<void> check_kind(const std::filesystem::path& file, Wanted wanted) {
  const auto found = find(file, wanted);
  if (!found) return {};
  return bad_model(file.string() + ": " + found->what + ": " + found->advice);
}

}  // namespace yolod::model
