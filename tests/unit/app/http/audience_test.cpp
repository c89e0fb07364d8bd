#include "app/http/audience.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace yolod::app::http {
namespace {

using net::ListenerRole;

struct Row {
  Audience audience;
  bool admin_alone;
  Peer peer;
  bool forwarded;
  std::string refusal;  // the beginning of the message; empty if the request may use the route
};

TEST_CASE("Audience: listener, peer and forwarding decide who may use a route", "[app][unit]") {
  const Peer everybody{ListenerRole::kPublic, false};
  const Peer admin{ListenerRole::kAdmin, true};
  const Peer other_user{ListenerRole::kAdmin, false};
  const std::string for_clients = "this path is not served at the admin address";
  const std::string for_admins = "this path is only for admins";
  const std::string only_root = "only root";
  const std::string a_proxy = "a proxy";
  const std::vector<Row> rows{
      {Audience::kEverybody, false, everybody, false, ""},
      {Audience::kEverybody, false, everybody, true, ""},
      {Audience::kEverybody, true, admin, false, ""},
      {Audience::kEverybody, false, other_user, false, only_root},
      {Audience::kClients, false, everybody, true, ""},
      {Audience::kClients, true, admin, false, for_clients},
      {Audience::kPeople, true, everybody, true, ""},
      {Audience::kPeople, true, admin, false, ""},
      {Audience::kPeople, false, other_user, false, only_root},
      {Audience::kPeople, false, admin, true, a_proxy},
      {Audience::kObservers, false, everybody, false, ""},
      {Audience::kObservers, true, everybody, false, for_admins},
      {Audience::kObservers, true, admin, false, ""},
      {Audience::kObservers, false, admin, true, a_proxy},
      {Audience::kAdmins, false, everybody, false, for_admins},
      {Audience::kAdmins, false, admin, false, ""},
      {Audience::kAdmins, false, admin, true, a_proxy},
      {Audience::kAdmins, true, other_user, false, only_root},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    const Row& row = rows[i];
    RequestHead head;
    head.forwarded = row.forwarded;
    const auto why =
        check_audience({"/x", "GET", row.audience, access::Need::kNothing, {}}, row.peer, row.admin_alone, head);
    CHECK(why.has_value() == !row.refusal.empty());
    if (!why) continue;
    CHECK(why->code == common::ErrorCode::kForbidden);
    CHECK(why->message.starts_with(row.refusal));
  }
}

}  // namespace
}  // namespace yolod::app::http
