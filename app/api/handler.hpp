// What a protocol gives for one request that asks a model: three steps without a socket, each of which can be tested
// with bytes.
//
//   begin(head)   which model is asked, or why none is
//   ready(body)   the calls: what the model is asked, one or several
//   render(...)   the answers as the protocol tells them
//
// api/call_exchange does the rest: admission, room for the body, the dispatcher, and the join of several calls.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "app/http/exchange.hpp"
#include "app/http/response.hpp"
#include "app/schedule/answer_handler.hpp"
#include "app/schedule/urgency.hpp"
#include "app/serving/served_model.hpp"
#include "common/clock.hpp"
#include "common/domain/options.hpp"
#include "common/error.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api {

// What the head says.
struct Plan {
  std::shared_ptr<serving::ServedModel>
      model;  // set as soon as it is known: the answer counts as the model's, also a refusal
  schedule::Urgency urgency;
  bool is_answered{false};  // the response is written, and no model is asked
};

// One question to the model. Each call of a request is scheduled, batched and replayed by itself.
struct Call {
  std::span<const std::byte> content;  // within the body
  common::ContentKind kind{common::ContentKind::kFile};
  common::PredictionOptions options{};
};
using Calls = boost::container::small_vector<Call, 1>;
// Of one request.
inline constexpr std::size_t kMostCalls = 64;
using Answers = boost::container::small_vector<schedule::Answer, 1>;

// Front-end only, its one thread. Made for one request.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  // Everything that the head decides. An Error is what the client is told.
  [[nodiscard]] virtual common::Outcome<void> begin(const http::Question& question, Plan& plan,
                                                    http::Response& response) = 0;

  // Looks at about `budget_bytes` more of the body, and adds what it finds to `calls`. True once it is done: then there
  // is at least one call, and at most kMostCalls. False: it is called again when other connections have had their turn.
  [[nodiscard]] virtual common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                                    Calls& calls) = 0;

  struct Result {
    std::string_view model;  // the name of the model that answered
    Answers& answers;        // of the calls, in their order; none is an Error. A file may be taken out.
  };
  // Writes the answer, or a piece of it that takes well below 1 ms: then it returns false and is called again, with the
  // same `response`.
  [[nodiscard]] virtual bool render(const Result& result, http::Response& response) = 0;

  // Replaces all of `response` by an error as this protocol tells it. `retry_after_seconds` is for statuses that have
  // it.
  virtual void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) = 0;
};

}  // namespace yolod::app::api
