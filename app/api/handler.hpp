// A Handler implements one protocol for one request to a model. It has three steps without a socket, and each of
// them can be tested with bytes.
//
//   begin(head)   chooses the model, or refuses the request
//   ready(body)   finds one or more calls in the body; fill() may add bytes to the body before
//   render(...)   writes the answers in the format of the protocol
//
// api/call_exchange does the rest: admission, memory for the body, the dispatcher, and the join of several calls.
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

// The decisions of begin().
struct Plan {
  // Set it as soon as the model is known. The answer then counts for this model, even if it is an error. If the body
  // names the model, ready() sets it. The dispatcher then admits the request after its body.
  std::shared_ptr<serving::ServedModel> model;
  schedule::Urgency urgency;
  bool is_answered{false};  // the response is complete, and no model is needed
};

// A call is one input for the model. The calls of a request are scheduled, batched and replayed separately.
struct Call {
  std::span<const std::byte> content;  // a part of the body
  common::ContentKind kind{common::ContentKind::kFile};
  common::PredictionOptions options{};
  std::uint32_t rows{1};  // how many inferences the statistics count for the call
};
using Calls = boost::container::small_vector<Call, 1>;
// A request may have at most this many calls.
inline constexpr std::size_t kMostCalls = 64;
using Answers = boost::container::small_vector<schedule::Answer, 1>;

// The exchange owns the handler and uses it on the front-end's only thread.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  // Makes all decisions that need only the head. The client receives an Error.
  [[nodiscard]] virtual common::Outcome<void> begin(const http::RequestView& request, Plan& plan,
                                                    http::Response& response) = 0;

  // Returns true if the body may have the client's API key. The exchange then reads the body to memory that no worker
  // can read, and copies only the contents of the calls to the arena. It checks body_key() when ready() has returned
  // true or an Error. If begin() has failed and this is true, ready() is called all the same, because only a client
  // that may come in receives the error of begin().
  [[nodiscard]] virtual bool may_have_key() const { return false; }
  // Returns the API key that ready() has found, or an empty text. It is valid until the next call.
  [[nodiscard]] virtual std::string_view body_key() const { return {}; }

  // Examines about `budget_bytes` more of the body and adds the inputs that it finds to `calls`. Returns true when
  // it has found all of them, which must be 1 to kMostCalls. After false it is called again in a later turn of the
  // event loop.
  [[nodiscard]] virtual common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                                    Calls& calls) = 0;

  // A handler that needs the body and bytes from elsewhere in one piece returns false from ready() and the size of that
  // piece here. The exchange then provides `piece`, calls fill() until it returns true, and gives ready() the piece as
  // the body from then on. 0: the body is enough.
  [[nodiscard]] virtual std::uint64_t piece_bytes() const { return 0; }
  // Copies about `budget_bytes` more to the piece.
  [[nodiscard]] virtual common::Outcome<bool> fill(std::span<const std::byte> /*body*/, std::span<std::byte> /*piece*/,
                                                   std::size_t /*budget_bytes*/) {
    return true;
  }

  // After fill() or render() has returned false: returns true if the handler waits for work that is done elsewhere. The
  // exchange then calls wait(), and goes on when `done` is called, which happens once and later. The answer must not
  // have begun.
  [[nodiscard]] virtual bool is_waiting() const { return false; }
  virtual void wait(http::Exchange::Resume /*done*/) {}
  // Ends the wait soon.
  virtual void client_is_gone() {}

  struct Result {
    std::string_view model;  // the name of the model that answered
    // Has an answer for each call, in the order of the calls. Only with wants_all_answers() may an answer be an Error.
    // render() may move files out.
    Answers& answers;
    std::uint32_t retry_after_seconds{1};  // as for write_error()
  };
  // Returns whether the handler writes the answers of its calls also if some of them failed. Otherwise the first
  // failure is the answer of the request. After ready().
  [[nodiscard]] virtual bool wants_all_answers() const { return false; }
  // Writes the answer and returns true. If the work would take 1 ms or more, it writes one piece, returns false, and
  // is called again with the same `response`.
  [[nodiscard]] virtual bool render(const Result& result, http::Response& response) = 0;

  // Replaces the whole response by an error in the format of this protocol. `retry_after_seconds` is used only with
  // statuses that have a Retry-After.
  virtual void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) = 0;
};

}  // namespace yolod::app::api
