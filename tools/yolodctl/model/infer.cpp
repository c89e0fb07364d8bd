// yolodctl infer runs a network on a tensor and writes the raw decoded head, or the output of a TorchScript file, for
// comparison with other programs.
#include <CLI/App.hpp>
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <string>
#include <variant>

#include "model/files/named_arrays.hpp"
#include "model/files/npy.hpp"
#include "model/files/read_file.hpp"
#include "model/load/load_network.hpp"
#include "model/load/load_script.hpp"
#include "model/torchscript/tensor_network.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model/model_options.hpp"

namespace yolod::tools {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

struct InferOptions {
  ModelOptions model;
  std::string input;
  std::string output;
};

// Converts [channels, height, width] planes to [height, width, channels], which the network needs.
void interleave(const float* planes, std::size_t channels, std::size_t pixels, float* out) {
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < channels; ++c) *out++ = planes[c * pixels + i];
  }
}

// Reads the array as [images, channels, height, width].
Outcome<model::NpyArray> read_input(const std::string& file) {
  auto array = model::read_npy(file);
  if (!array) return array;
  if (array->shape.size() == 3) array->shape.insert(array->shape.begin(), 1);
  if (array->shape.size() != 4 || array->values.empty()) {
    return Error{ErrorCode::kInvalidParameter,
                 file + ": the shape must be [n, 3, height, width] or [3, height, width]"};
  }
  return array;
}

Outcome<model::NpyArray> run(model::Network& network, const model::NpyArray& input) {
  // This is large enough for the network's full speed, and small enough for the memory.
  constexpr std::size_t kBatch = 8;
  const auto& shape = network.shape();
  const auto images = static_cast<std::size_t>(input.shape[0]);
  model::NpyArray result{{input.shape[0]}, {}};
  for (std::size_t first = 0; first < images; first += kBatch) {
    const auto count = std::min(kBatch, images - first);
    const auto room = network.new_input(count);
    if (!room) return room.error();
    const auto values = (*room)->values();
    for (std::size_t i = 0; i < count; ++i) {
      interleave(input.values.data() + (first + i) * shape.input_count(), shape.channels, shape.height * shape.width,
                 values.data() + i * shape.input_count());
    }
    const auto head = network.forward(**room, count, {});
    if (!head) return head.error();
    if (first == 0) {
      for (std::size_t i = 1; i < head->sides.size(); ++i) {
        result.shape.push_back(static_cast<std::int64_t>(head->sides[i]));
      }
      result.values.reserve(images * head->image(0).size());
    }
    result.values.insert(result.values.end(), head->values.begin(), head->values.end());
  }
  return result;
}

// Runs a TorchScript file on the unchanged tensors: .npy or .npz in, .npy or .npz out.
int infer_script(const InferOptions& options, const ChosenModel& chosen) {
  constexpr std::size_t kMaxInputBytes = std::size_t{4} << 30U;
  if (!options.model.size.empty()) {
    return report(
        {ErrorCode::kBadConfig, "--size is not allowed for a TorchScript file, which runs on the unchanged tensors"});
  }
  const auto body = model::read_file(options.input, kMaxInputBytes);
  if (!body) return report({ErrorCode::kInvalidParameter, body.error().message});
  auto network = model::torchscript::TensorNetwork::load(chosen.config, chosen.context);
  if (!network) return report(network.error());
  auto arrays = model::read_arrays(*body, (*network)->inputs(), (*network)->takes_more());
  if (!arrays) return report({ErrorCode::kInvalidParameter, options.input + ": " + arrays.error().message});
  // Accepts one picture without its batch dimension, as everywhere.
  if (arrays->size() == 1 && arrays->front().shape.size() == 3 && arrays->front().shape[0] == 3) {
    arrays->front().shape.insert(arrays->front().shape.begin(), 1);
  }
  const auto results = (*network)->run(*arrays);
  chosen.context.first_run_ended();
  if (!results) return report(results.error());
  const auto written = model::write_arrays(*results);
  errno = 0;
  std::ofstream stream(options.output, std::ios::binary | std::ios::trunc);
  stream.write(reinterpret_cast<const char*>(written.bytes.data()), static_cast<std::streamsize>(written.bytes.size()));
  stream.flush();
  if (!stream) return report(common::system_error(options.output, errno != 0 ? errno : EIO));
  return 0;
}

int infer(const InferOptions& options) {
  auto chosen = choose_model(options.model);
  if (!chosen) return report(chosen.error());
  if (std::holds_alternative<common::TorchScriptSource>(chosen->config.source)) return infer_script(options, *chosen);
  const auto input = read_input(options.input);
  if (!input) return report(input.error());
  const auto height = input->shape[2];
  const auto width = input->shape[3];
  // A network is compiled for one size: the tensor's size, unless --size gives another size.
  if (options.model.size.empty()) {
    constexpr std::int64_t kMaxSide = 1 << 20;
    chosen->config.input_size = common::InputSize{static_cast<std::uint32_t>(std::min(height, kMaxSide)),
                                                  static_cast<std::uint32_t>(std::min(width, kMaxSide))};
  }
  // The output is compared digit by digit, so it uses bf16 only if the user asks for it.
  if (options.model.precision.empty()) chosen->config.precision = common::Precision::kFp32;
  chosen->config.detect.augment = false;  // use the head of one pass

  const auto loaded = model::load_network(chosen->config, chosen->context);
  if (!loaded) return report(loaded.error());
  const auto& shape = loaded->network->shape();
  if (input->shape[1] != static_cast<std::int64_t>(shape.channels) ||
      height != static_cast<std::int64_t>(shape.height) || width != static_cast<std::int64_t>(shape.width)) {
    return report({ErrorCode::kInvalidParameter,
                   options.input + ": the network takes [n, " + std::to_string(shape.channels) + ", " +
                       std::to_string(shape.height) + ", " + std::to_string(shape.width) + "]"});
  }
  const auto result = run(*loaded->network, *input);
  if (!result) return report(result.error());
  if (const auto written = model::write_npy(options.output, *result); !written) return report(written.error());
  return 0;
}

}  // namespace

void add_infer(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(kInfer.name, kInfer.purpose);
  auto options = std::make_shared<InferOptions>();
  add_model_options(*command, options->model);
  command
      ->add_option("--input", options->input,
                   "float32 [n,3,h,w] or [3,h,w], RGB, 0..1; for a TorchScript file any array, or several as .npz")
      ->required()
      ->type_name("X.npy");
  command
      ->add_option(
          "--output", options->output,
          "float32 [n, candidates, 5 + classes], of a classifier [n, classes]; of a TorchScript file what it gives")
      ->required()
      ->type_name("Y.npy");
  command->callback([options, &exit_code] { exit_code = infer(*options); });
}

}  // namespace yolod::tools
