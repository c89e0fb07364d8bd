#include "tools/train/checkpoint.hpp"

#include <ATen/ATen.h>
#include <torch/serialize.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/system/unfinished_file.hpp"
#include "common/text.hpp"

namespace yolod::train {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// The names of averaged weights have this prefix.
constexpr const char* kAverage = "average_";

constexpr const char* kNote = "note";

void write(torch::serialize::OutputArchive& archive, const NetworkTensors& tensors, const std::string& prefix) {
  for (const auto& [name, tensor, role] : tensors) archive.write(prefix + name, tensor.detach());
}

std::vector<at::Tensor> read(torch::serialize::InputArchive& archive, const NetworkTensors& tensors,
                             const std::string& prefix) {
  std::vector<at::Tensor> all;
  for (const auto& [name, tensor, role] : tensors) {
    archive.read(prefix + name, all.emplace_back());
    if (all.back().sizes() != tensor.sizes()) throw std::runtime_error("it is of another network");
  }
  return all;
}

// Copies into the present tensors, because the optimizer refers to them.
void overwrite(const NetworkTensors& tensors, const std::vector<at::Tensor>& stored) {
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].tensor.detach().copy_(stored[i]);
}

Error refused(const std::filesystem::path& file, const char* what) {
  return {ErrorCode::kBadModel, file.string() + ": not a checkpoint of this network: " + common::printable(what, 200)};
}

}  // namespace

Outcome<void> save_checkpoint(const std::filesystem::path& file, const CheckpointParts& parts,
                              const RunPosition& position, const std::string& note) {
  try {
    torch::serialize::OutputArchive archive;
    write(archive, parts.learned, {});
    write(archive, parts.averaged, kAverage);
    torch::serialize::OutputArchive optimizer;
    parts.optimizer.save(optimizer);
    archive.write("optimizer", optimizer);
    archive.write(kNote, c10::IValue(note));
    archive.write("counts",
                  at::tensor({static_cast<std::int64_t>(position.step), static_cast<std::int64_t>(position.images)}));
    archive.write("seconds", at::tensor({position.seconds}, at::kDouble));
    common::UnfinishedFile unfinished(file);
    archive.save_to([&unfinished](const void* bytes, std::size_t count) {
      unfinished.write(bytes, count);
      return count;
    });
    return unfinished.finish();
  } catch (const std::exception& error) {
    return Error{ErrorCode::kSystem, file.string() + ": " + common::printable(error.what(), 200)};
  }
}

Outcome<RunPosition> load_checkpoint(const std::filesystem::path& file, const CheckpointParts& parts,
                                     const Learner::NoteFits& fits) {
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(file.string());
    c10::IValue note;
    archive.read(kNote, note);
    if (auto fit = fits(note.toStringRef()); !fit) return std::move(fit).error();
    at::Tensor counts;
    at::Tensor seconds;
    archive.read("counts", counts);
    archive.read("seconds", seconds);
    const auto learned = read(archive, parts.learned, {});
    const auto averaged = read(archive, parts.averaged, kAverage);
    torch::serialize::InputArchive optimizer;
    archive.read("optimizer", optimizer);
    parts.optimizer.load(optimizer);
    overwrite(parts.learned, learned);
    overwrite(parts.averaged, averaged);
    return RunPosition{static_cast<std::uint64_t>(counts[0].item<std::int64_t>()),
                       static_cast<std::uint64_t>(counts[1].item<std::int64_t>()), seconds[0].item<double>()};
  } catch (const c10::Error& error) {
    return refused(file, error.what_without_backtrace());
  } catch (const std::exception& error) {
    return refused(file, error.what());
  }
}

}  // namespace yolod::train
