#include "app/reload.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "common/fault_point.hpp"
#include "common/log.hpp"

namespace yolod::app {

namespace asio = boost::asio;
using common::Error;
using common::ErrorCode;
using common::ModelConfig;
using common::Outcome;

Reload::Reload(asio::io_context& io, Models& models, ReadConfig read_again, Hooks hooks)
    : io_(io), models_(models), read_again_(std::move(read_again)), hooks_(std::move(hooks)) {}

void Reload::ask() {
  if (!hooks_.serves()) return;
  if (running()) {
    asked_again_ = true;
    return;
  }
  common::log_info("reload: reading the config");
  ask({}, [this](const Outcome<void>& result) {
    hooks_.signal_result(result);
    // The pool logs a failure of a model itself.
    if (!result && result.error().code == ErrorCode::kBadConfig) {
      common::log_error("reload: nothing has changed: {}", result.error().message);
    }
  });
}

void Reload::ask(std::string_view model, Done done, const Adjust& adjust, Which which) {
  if (!hooks_.serves()) return refuse(done, {ErrorCode::kShuttingDown, kServerIsStopping});
  if (running()) return refuse(done, {ErrorCode::kNotReady, "another reload is under way"});
  hooks_.begins();
  if (!hooks_.prepare) return load(std::string(model), done, adjust, which);
  is_reading_ = true;
  hooks_.prepare([this, model = std::string(model), done = std::move(done), adjust, which] {
    is_reading_ = false;
    load(model, done, adjust, which);
  });
}

void Reload::refuse(const Done& done, Error why) {
  asio::post(io_, [done, why = std::move(why)] { done(why); });
  if (hooks_.serves() && !running() && std::exchange(asked_again_, false)) return ask();
  hooks_.is_over();
}

void Reload::load(const std::string& model, const Done& done, const Adjust& adjust, Which which) {
  if (!hooks_.serves()) return refuse(done, {ErrorCode::kShuttingDown, kServerIsStopping});
  const auto changed = read_again_();
  if (!changed) return refuse(done, {ErrorCode::kBadConfig, "the config cannot be served; the server's log says why"});
  const auto models = models_to_load(*changed, model, adjust, which);
  if (!models) return refuse(done, models.error());
  common::reach(common::FaultPoint::kFrontEndReadConfig);

  waiters_.push_back(done);
  result_ = {};
  if (model.empty()) {
    hooks_.take_over(*changed);
    then_served_ = {*models, changed->default_model};
  }
  loading_ = models->size();
  common::log_info("reload: loading {} model{}", models->size(), models->size() == 1 ? "" : "s");
  for (const auto& one : *models) {
    models_.load(one, [this](const Outcome<void>& result) { model_ended(result); });
  }
}

Outcome<std::vector<ModelConfig>> Reload::models_to_load(const common::Config& changed, std::string_view model,
                                                         const Adjust& adjust, Which which) const {
  auto models = changed.models;
  if (!model.empty()) {
    std::erase_if(models, [model](const auto& one) { return one.name != model; });
    if (models.empty() || (which == Which::kServed && !models_.serve(model))) {
      return Error{ErrorCode::kUnknownModel, "there is no model of that name"};
    }
    if (adjust) {
      if (auto adjusted = adjust(models.front()); !adjusted) return adjusted.error();
    }
  }
  if (const auto room = models_.have_room_for(models); !room) {
    return Error{ErrorCode::kBadConfig, room.error().message};
  }
  return models;
}

void Reload::model_ended(const Outcome<void>& result) {
  if (!result && result_) result_ = result;
  if (--loading_ == 0) end();
}

void Reload::end() {
  const auto served = std::exchange(then_served_, std::nullopt);
  if (result_ && served) {
    models_.serve_only(served->models, served->default_model);
  }
  if (result_) {
    common::log_info("reload: done");
  } else {
    common::log_warning("reload: over; the models that failed are unchanged");
  }
  tell(result_);
  if (hooks_.serves() && std::exchange(asked_again_, false)) {
    ask();
  } else {
    hooks_.is_over();
  }
}

// Posts the callbacks, because each of them may start other work, such as the next reload.
void Reload::tell(const Outcome<void>& result) {
  for (auto& waiter : std::exchange(waiters_, {})) {
    asio::post(io_, [waiter = std::move(waiter), result] { waiter(result); });
  }
}

}  // namespace yolod::app
