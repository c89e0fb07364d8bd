// The exchanges of the Open Inference Protocol that need no body. Each writes its answer at once with a function.
#pragma once

#include <functional>
#include <memory>

#include "app/api/oip/model_view.hpp"
#include "app/api/oip/oip_error.hpp"
#include "app/api/protocol_exchange.hpp"
#include "app/observe/metrics.hpp"
#include "app/serving/models.hpp"
#include "app/serving/status.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::oip {

// Returns the present state of the server.
using ReadStatus = std::function<serving::ServerStatus()>;

struct OipErrors {
  void operator()(const common::Error& error, http::Response& response) const { write_error(response, error); }
};

using OipExchange = ProtocolExchange<OipErrors>;

// Answers with the state of all models.
class AllModelsExchange final : public OipExchange, public common::Recycled<AllModelsExchange> {
 public:
  using Write = void (*)(const serving::ServerStatus& status, const observe::Metrics& metrics,
                         http::Response& response);
  // The arguments outlive this object.
  AllModelsExchange(observe::Metrics& metrics, const ReadStatus& read, Write write)
      : OipExchange(metrics), read_(read), write_(write) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;

 private:
  const ReadStatus& read_;
  const Write write_;
};

// Answers with facts about the model that the path names. The first capture of the route is the model's name. The
// second capture, if there is one, is a version.
class OneModelExchange final : public OipExchange, public common::Recycled<OneModelExchange> {
 public:
  using Write = void (*)(const serving::ServedModel& model, ViewKind view, http::Response& response);
  // Returns the error if there is no such model or version.
  using Unknown = common::Error (*)(std::string_view name, std::string_view version);
  // The arguments outlive this object.
  OneModelExchange(observe::Metrics& metrics, const serving::Models& models, Write write,
                   Unknown unknown = unknown_model)
      : OipExchange(metrics), models_(models), write_(write), unknown_(unknown) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;

 private:
  const serving::Models& models_;
  const Write write_;
  const Unknown unknown_;
};

struct FoundModel {
  std::shared_ptr<serving::ServedModel> model;
  ViewKind view{ViewKind::kUsual};
};

// Finds the model of a path. `captures` are as in OneModelExchange. An Error is kNotFound for a version that is not a
// number, kUnknownModel or kNotReady for an unloaded model, or the result of `unknown`. NAME:raw exists only if
// has_raw_view().
[[nodiscard]] common::Outcome<FoundModel> find_model(const serving::Models& models, const http::Captures& captures,
                                                     OneModelExchange::Unknown unknown = unknown_model);

}  // namespace yolod::app::api::oip
