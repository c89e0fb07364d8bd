// A TorchScript file as a network that looks at pictures. What its output means is for others to tell. No torch header
// here.
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

//   loaded -> fitted to an input size (again as often as wanted) -> runs
//
// A module that returns several tensors, in tuples or lists, gives its first. One that cannot take several images at
// once (a trace with the batch's size in it) is run once for each.
class ScriptNetwork final : public Network {
 public:
  // `precision` must be resolved, `threads` at least 1. Sets the process's LibTorch thread counts. Errors are
  // kBadModel.
  [[nodiscard]] static common::Outcome<std::unique_ptr<ScriptNetwork>> load(const std::filesystem::path& file,
                                                                            common::Precision precision,
                                                                            std::uint32_t threads,
                                                                            const DeviceUse& use);
  ~ScriptNetwork() override;

  // What its exporter left in the file (rules/script_metadata.hpp).
  [[nodiscard]] const std::string& metadata() const;
  [[nodiscard]] const ModuleFacts& facts() const;

  // Runs it on noise, at the first of `sizes` that it takes, and finds out how it is run fastest: several images at
  // once, channels-last, frozen, each only if the output stays what it is without. An Error (kBadModel) if it takes
  // none. The probe's output for one image is then in probe().
  [[nodiscard]] common::Outcome<void> fit_to(std::span<const common::InputSize> sizes);
  // All below after fit_to().
  [[nodiscard]] RawHead probe() const;
  [[nodiscard]] ScriptForm form() const;
  // The same module for another input size, fitted to it; its weights are in memory once. The two are used by one
  // thread at a time, together. An Error (kBadModel) if it does not take that size.
  [[nodiscard]] common::Outcome<std::unique_ptr<ScriptNetwork>> at_size(const common::InputSize& size) const;
  // For shape(), once it is known what the output means, and for forward()'s thresholds.
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
