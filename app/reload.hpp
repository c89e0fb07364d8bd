// A reload: the config is read again, and its models, or one of them, are loaded beside those that serve.
//
//   idle -- ask --> running -- the last model is loaded, or has failed --> idle
//
// A SIGHUP that comes while one runs is kept: one more reload follows, however many came. A reload by request is
// refused meanwhile. What failed stays as it was. Models that are not in the config any more are retired when all
// others are loaded, and not if one has failed: clients have the models before until there are others.
//
// Front-end only, its one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/serve.hpp"
#include "common/config/config.hpp"
#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

// Clients are told this from the stop on.
inline constexpr const char* kServerIsStopping = "the server is stopping";

class Reload {
 public:
  // A reload knows the served models by this interface.
  class Models {
   public:
    using Loaded = std::function<void(const common::Outcome<void>&)>;
    [[nodiscard]] virtual bool serve(std::string_view name) const = 0;
    // Whether these can be loaded beside what serves, as far as memory tells.
    [[nodiscard]] virtual common::Outcome<void> have_room_for(const std::vector<common::ModelConfig>& models) const = 0;
    // Loads that model beside what serves of it, or for the first time; `done` is called once, later. Not while it is
    // being loaded.
    virtual void load(const common::ModelConfig& model, Loaded done) = 0;
    // No others any more.
    virtual void serve_only(const std::vector<common::ModelConfig>& models, std::string default_model) = 0;

   protected:
    ~Models() = default;
  };
  // The rest of the front-end takes part in a reload by these.
  struct Hooks {
    // Whether models may be loaded now: the server neither stops nor only checks its config.
    std::function<bool()> serves;
    std::function<void()> begins;  // before the config is read
    // Takes over the settings of the server itself, from a config whose models will be loaded.
    std::function<void(const common::Config& changed)> take_over;
    std::function<void()> is_over;  // none runs, or this one was refused
  };
  using Done = std::function<void(const common::Outcome<void>&)>;

  // `io` and `models` outlive this object.
  Reload(boost::asio::io_context& io, Models& models, ReadConfig read_again, Hooks hooks);
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  // SIGHUP: all models, now or after the one that runs.
  void ask();
  // Reloads that model, or with an empty name all models. `done` is called once, later: kUnknownModel, kBadConfig,
  // kBadModel with the reason, kNotReady while another reload runs, kShuttingDown.
  void ask(std::string_view model, Done done);
  [[nodiscard]] bool running() const { return loading_ != 0; }
  // The server stops: whoever waits is told so.
  void abandon(const common::Error& why) { tell(why); }

 private:
  [[nodiscard]] common::Outcome<std::vector<common::ModelConfig>> models_to_load(const common::Config& changed,
                                                                                 std::string_view model) const;
  void model_ended(const common::Outcome<void>& result);
  void end();
  void tell(const common::Outcome<void>& result);

  boost::asio::io_context& io_;
  Models& models_;
  const ReadConfig read_again_;
  const Hooks hooks_;
  std::size_t loading_{0};   // models that are being loaded
  bool asked_again_{false};  // by SIGHUP, while one runs
  std::vector<Done> waiters_;
  struct Served {
    std::vector<common::ModelConfig> models;
    std::string default_model;
  };
  std::optional<Served> then_served_;  // once all models are loaded; nothing where one was asked for
  common::Outcome<void> result_;       // the first failure
};

}  // namespace yolod::app
