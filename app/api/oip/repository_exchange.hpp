// Implements POST /v2/repository/index, and load and unload of /v2/repository/models/M.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "app/access/caller.hpp"
#include "app/api/oip/load_overrides.hpp"
#include "app/api/oip/oip_exchange.hpp"
#include "app/api/oip/small_body_exchange.hpp"
#include "app/http/request_id.hpp"
#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::oip {

// Receives the result of a load or an unload.
using RepositoryDone = std::function<void(const common::Outcome<void>&)>;
// The sender of a request to load or unload a model, for the audit log.
struct Asker {
  std::string_view request_id;
  access::Caller::Kind caller{access::Caller::Kind::kAnonymous};
};
// Loads this model again beside its serving generation, or anew if it was unloaded. `adjust` may be empty; it is called
// before `done` and may change settings. `done` is called once, later. An Error comes from `adjust` or is an error of
// api/admin/reload_exchange.
using AskForLoad =
    std::function<void(std::string_view model, const Asker& asker,
                       const std::function<common::Outcome<void>(common::ModelConfig&)>& adjust, RepositoryDone done)>;
// Unloads this model. `done` is called once, later: when the model has no process any more, or with kUnknownModel,
// kNotReady or kShuttingDown.
using AskForUnload = std::function<void(std::string_view model, const Asker& asker, RepositoryDone done)>;

class IndexExchange final : public SmallBodyExchange {
 public:
  // The arguments outlive this object.
  IndexExchange(observe::Metrics& metrics, const ReadStatus& read) : SmallBodyExchange(metrics), read_(read) {}

 private:
  [[nodiscard]] Next act(std::string_view body, http::Response& response) override;

  const ReadStatus& read_;
};

// The base of exchanges that load or unload the model of the path. Each sends its answer when the work has ended.
class ModelControlExchange : public SmallBodyExchange {
 public:
  using SmallBodyExchange::SmallBodyExchange;
  [[nodiscard]] Next proceed(http::Response& response) final;
  void wait(Resume done) final;

 protected:
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] Asker asker() const { return {{request_id_.data(), request_id_.size()}, caller_}; }
  virtual void ask(RepositoryDone done) = 0;
  // Returns the text in front of a reason: "load" or "unload".
  [[nodiscard]] virtual std::string_view verb() const = 0;
  // Returns the parameters of the body, which may be empty.
  [[nodiscard]] static common::Outcome<boost::json::object> parameters_in(std::string_view body);

 private:
  [[nodiscard]] common::Outcome<void> look_at(const http::RequestView& request) final;

  std::string model_;
  http::RequestId request_id_;
  access::Caller::Kind caller_{access::Caller::Kind::kAnonymous};
  common::Outcome<void> result_;
};

// Loads a model again, as POST /reload does, or loads an unloaded model.
class LoadExchange final : public ModelControlExchange {
 public:
  // The arguments outlive this object.
  LoadExchange(observe::Metrics& metrics, const AskForLoad& ask) : ModelControlExchange(metrics), ask_(ask) {}

 private:
  [[nodiscard]] Next act(std::string_view body, http::Response& response) override;
  void ask(RepositoryDone done) override;
  [[nodiscard]] std::string_view verb() const override { return "load"; }

  const AskForLoad& ask_;
  std::optional<LoadOverrides> overrides_;
};

class UnloadExchange final : public ModelControlExchange {
 public:
  // The arguments outlive this object.
  UnloadExchange(observe::Metrics& metrics, const AskForUnload& ask) : ModelControlExchange(metrics), ask_(ask) {}

 private:
  [[nodiscard]] Next act(std::string_view body, http::Response& response) override;
  void ask(RepositoryDone done) override { ask_(model(), asker(), std::move(done)); }
  [[nodiscard]] std::string_view verb() const override { return "unload"; }

  const AskForUnload& ask_;
};

}  // namespace yolod::app::api::oip
