// Reload reads the config again, and loads all its models, or one of them, beside the serving models.
//
//   idle -- ask --> running -- the last model is loaded, or has failed --> idle
//
// If a SIGHUP arrives during a reload, one more reload follows, however many SIGHUPs arrive. A reload that a request
// asks for is refused during a reload. A model whose reload fails continues to serve with its old settings. Models
// that the config no longer has are retired when all other models are loaded. They are not retired if a model has
// failed: clients keep the old models until the new ones serve.
//
// The front-end owns it. Only the thread of the front-end may call it.
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

// The text of answers to clients after the server has begun to stop.
inline constexpr const char* kServerIsStopping = "the server is stopping";

class Reload {
 public:
  // The interface through which a reload uses the served models.
  class Models {
   public:
    using Loaded = std::function<void(const common::Outcome<void>&)>;
    // Returns whether the model is served, or was unloaded.
    [[nodiscard]] virtual bool serve(std::string_view name) const = 0;
    // Returns an Error if these models, beside the serving models, need more memory than the limits allow.
    [[nodiscard]] virtual common::Outcome<void> have_room_for(const std::vector<common::ModelConfig>& models) const = 0;
    // Loads the model beside its serving generation, or for the first time. Calls `done` once, later. REQUIRES: the
    // model is not being loaded.
    virtual void load(const common::ModelConfig& model, Loaded done) = 0;
    // Retires all other models.
    virtual void serve_only(const std::vector<common::ModelConfig>& models, std::string default_model) = 0;

   protected:
    ~Models() = default;
  };
  // The functions of the front-end that take part in a reload.
  struct Hooks {
    // Returns whether models may be loaded now: the server is not stopping, and does not only check its config.
    std::function<bool()> serves;
    std::function<void()> begins;  // called before the config is read
    // Applies the settings of the server itself, from a config whose models will be loaded.
    std::function<void(const common::Config& changed)> take_over;
    std::function<void()> is_over;  // no reload runs any more, or this reload was refused
    // A reload that SIGHUP asked for has this result. A request's callback gets its result itself.
    std::function<void(const common::Outcome<void>& result)> signal_result;
    // Reads what a config needs beside its file, in several turns of the event loop, and then calls `then` once. May be
    // empty.
    std::function<void(std::function<void()> then)> prepare{};
  };
  using Done = std::function<void(const common::Outcome<void>&)>;
  // Changes settings of the model that is loaded. Returns an Error if it cannot.
  using Adjust = std::function<common::Outcome<void>(common::ModelConfig&)>;

  // `io` and `models` outlive this object.
  Reload(boost::asio::io_context& io, Models& models, ReadConfig read_again, Hooks hooks);
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  // Handles SIGHUP: reloads all models, now or after the reload that runs.
  void ask();
  // Reloads the model, or all models if `model` is empty. Calls `done` once, later. The Error is kUnknownModel,
  // kBadConfig, kBadModel with the reason, kNotReady while another reload runs, or kShuttingDown.
  // `adjust` may be empty; it is called before `done`, and its Error is passed on. With kNew the model need not be
  // served.
  enum class Which { kServed, kNew };
  void ask(std::string_view model, Done done, const Adjust& adjust = {}, Which which = Which::kServed);
  [[nodiscard]] bool running() const { return is_reading_ || loading_ != 0; }
  // The server stops: passes `why` to each caller that waits.
  void abandon(const common::Error& why) { tell(why); }

 private:
  // The second part of ask(), when the config can be read.
  void load(const std::string& model, const Done& done, const Adjust& adjust, Which which);
  void refuse(const Done& done, common::Error why);
  [[nodiscard]] common::Outcome<std::vector<common::ModelConfig>> models_to_load(const common::Config& changed,
                                                                                 std::string_view model,
                                                                                 const Adjust& adjust,
                                                                                 Which which) const;
  void model_ended(const common::Outcome<void>& result);
  void end();
  void tell(const common::Outcome<void>& result);

  boost::asio::io_context& io_;
  Models& models_;
  const ReadConfig read_again_;
  const Hooks hooks_;
  bool is_reading_{false};   // Hooks::prepare has not ended
  std::size_t loading_{0};   // models that are being loaded
  bool asked_again_{false};  // by a SIGHUP during a reload
  std::vector<Done> waiters_;
  struct Served {
    std::vector<common::ModelConfig> models;
    std::string default_model;
  };
  // The models that the server will serve when all of them are loaded. It is empty for a reload of one model.
  std::optional<Served> then_served_;
  common::Outcome<void> result_;  // the first failure
};

}  // namespace yolod::app
