// A TorchScript file as a network for pictures. Other code finds the meaning of its output. It includes no torch
// header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/heads/candidates.hpp"
#include "model/network.hpp"
#include "model/torchscript/module_facts.hpp"

namespace yolod::model {
struct DeviceUse;
}

namespace yolod::model::torchscript {

//   loaded -> fitted to an input size (may be repeated) -> runs
//
// If a module returns several tensors, in tuples or lists, the network returns the first. A module that cannot
// process several images at once (a trace with a fixed batch size) runs once for each image.
class ScriptNetwork final : public Network {
 public:
  // Loads the file and sets the process's LibTorch thread counts. REQUIRES: `precision` is resolved, and `threads` is
  // at least 1. Errors have code kBadModel.
  [[nodiscard]] static common::Outcome<std::unique_ptr<ScriptNetwork>> load(const std::filesystem::path& file,
                                                                            common::Precision precision,
                                                                            std::uint32_t threads,
                                                                            const DeviceUse& use);
  ~ScriptNetwork() override;

  // Returns the exporter's metadata in the file (rules/script_metadata.hpp).
  [[nodiscard]] const std::string& metadata() const;
  [[nodiscard]] const ModuleFacts& facts() const;

  // Runs the module on noise at the first of `sizes` that it accepts, and finds the fastest way to run it: with
  // several images at once, channels-last, frozen. It uses each of these only if the output stays the same.
  // Afterwards probe() has the output for one image. Returns an Error (kBadModel) if the module accepts none of the
  // sizes.
  [[nodiscard]] common::Outcome<void> fit_to(std::span<const common::InputSize> sizes);
  // The functions below require a successful fit_to().
  [[nodiscard]] RawHead probe() const;
  [[nodiscard]] ScriptForm form() const;
  // Returns the same module fitted to another input size; its weights are in memory once. Together, the two networks
  // may be used by one thread at a time. Returns an Error (kBadModel) if the module does not accept that size.
  [[nodiscard]] common::Outcome<std::unique_ptr<ScriptNetwork>> at_size(const common::InputSize& size) const;
  // Sets the meaning of the output, for shape() and for forward()'s thresholds.
  void set_head(std::size_t candidates, std::size_t classes, heads::HeadLayout layout);

  [[nodiscard]] const NetworkShape& shape() const override;
  [[nodiscard]] common::Precision precision() const override;
  [[nodiscard]] const std::string& device() const override;
  [[nodiscard]] common::Outcome<std::unique_ptr<NetworkInput>> new_input(std::size_t images) override;
  [[nodiscard]] common::Outcome<RawHead> forward(NetworkInput& input, std::size_t images,
                                                 std::span<const float> confidence) override;
  void prepare(NetworkInput& input, std::size_t images) override;

 private:
  struct State;
  explicit ScriptNetwork(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace yolod::model::torchscript
