// Checks whether a client still waits for its answer. Any thread may call these functions; they never wait.
#pragma once

namespace yolod::app::net {

enum class ClientPresence {
  kThere,
  kHalfClosed,  // the client has closed its sending side: it is gone, or it only listens now
  kGone,
};

// Examines a connected stream socket and reads nothing from it.
[[nodiscard]] ClientPresence client_presence(int socket);

// Finds out which meaning of kHalfClosed applies. It sends an interim response (RFC 9110, 15.2). If the client
// listens, it ignores the response. If the client is gone, it answers with a reset and is soon kGone. Use the
// function only for HTTP/1.1, and at most once for a request.
void probe_client(int socket);

}  // namespace yolod::app::net
