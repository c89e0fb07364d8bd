// Says which clients a listener serves.
#pragma once

namespace yolod::app::net {

enum class ListenerRole {
  kPublic,  // server.listen
  kAdmin,   // server.admin_listen
};

}  // namespace yolod::app::net
