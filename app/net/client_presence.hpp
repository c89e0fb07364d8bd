// Whether the client whose answer is being made still wants it.
#pragma once

namespace yolod::app::net {

enum class ClientPresence {
  kThere,
  kSaysNoMore,  // its side is closed: it is gone, or has said all that it wants to and listens
  kGone,
};

// Of a connected stream socket; reads nothing from it. Never waits.
[[nodiscard]] ClientPresence client_presence(int socket);

// Tells the two meanings of kSaysNoMore apart: an interim response (RFC 9110, 15.2), which who listens ignores; who
// does not answers with a reset, and is kGone soon. For HTTP/1.1 alone, once a request. Never waits.
void probe_client(int socket);

}  // namespace yolod::app::net
