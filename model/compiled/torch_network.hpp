// A CompiledNetwork loaded into LibTorch: floats in, raw head out. It includes no torch header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/compiled_network.hpp"
#include "model/network.hpp"

namespace yolod::model {

struct DeviceUse;

// The output is [images, candidates, 5 + classes], or [images, classes] for a classifier, as in CompiledNetwork. A
// failed load returns kBadModel.
class TorchNetwork final : public Network {
 public:
  // Loads the network on the CPU and sets the process's LibTorch thread counts. REQUIRES: `precision` is resolved,
  // and `threads` is at least 1.
  [[nodiscard]] static common::Outcome<std::unique_ptr<TorchNetwork>> load(CompiledNetwork compiled,
                                                                           common::Precision precision,
                                                                           std::uint32_t threads);
  // Loads the same network for several input sizes (at least one), on any device. All networks except the first may
  // share its parameters (CompiledNetwork::shared_parameters); these are then in memory once, also in the processor's
  // layout. Together, the networks may be used by one thread at a time.
  [[nodiscard]] static common::Outcome<std::vector<std::unique_ptr<TorchNetwork>>> load_sizes(
      std::vector<CompiledNetwork> compiled, common::Precision precision, std::uint32_t threads, const DeviceUse& use);
  ~TorchNetwork() override;

  [[nodiscard]] const NetworkShape& shape() const override;
  [[nodiscard]] common::Precision precision() const override;
  [[nodiscard]] const std::string& device() const override;
  [[nodiscard]] common::Outcome<std::unique_ptr<NetworkInput>> new_input(std::size_t images) override;
  [[nodiscard]] common::Outcome<RawHead> forward(NetworkInput& input, std::size_t images,
                                                 std::span<const float> confidence) override;
  void prepare(NetworkInput& input, std::size_t images) override;

 private:
  struct State;
  explicit TorchNetwork(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace yolod::model
