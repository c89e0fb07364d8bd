// A LateCheck checks the API key that a request has in its body. DeepStack's and Roboflow's clients send it there.
//
//   Gate::admit() with KeyPlace::kBody --> the body is read --> LateCheck::check() --> the model
//
// With access.mode: keys, until check() has let the request in, its client is unknown: the limits of its address hold,
// its body is bounded, and no model works for it. The body lies in memory that no worker can read (api/call_exchange).
//
// The exchange of the request owns a copy. The gate and the ticket outlive it. Only the front-end's thread may use it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/access/gate.hpp"
#include "app/access/limits.hpp"
#include "common/error.hpp"

namespace yolod::app::access {

class LateCheck {
 public:
  // `knock` was at the gate, which has filled in `caller`. `is_late` is true if the head of the request had no
  // credential, so that the gate left the decision to check().
  LateCheck(Gate& gate, Limits::Ticket& ticket, const Knock& knock, const Caller& caller, std::string_view request_id,
            bool is_late)
      : gate_(&gate),
        ticket_(&ticket),
        network_(knock.network),
        need_(knock.need),
        head_credential_(caller.credential),
        request_id_(request_id),
        is_late_(is_late) {}

  // Returns whether check() may still refuse the request because it has no right key.
  [[nodiscard]] bool is_pending() const { return is_late_ && gate_->mode() != common::AccessMode::kOpen; }
  [[nodiscard]] const Network& network() const { return network_; }
  // Call it once, when it is known which key the body has; `key` is empty if it has none. Returns what the client
  // receives if the request may not come in.
  [[nodiscard]] std::optional<common::Error> check(std::string_view key);

 private:
  Gate* gate_;
  Limits::Ticket* ticket_;
  Network network_;
  Need need_;
  accounts::protocol::Digest head_credential_;  // zeros without one
  std::string request_id_;
  bool is_late_;
};

}  // namespace yolod::app::access
