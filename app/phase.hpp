// The phases of the server's life. Only the thread of the front-end reads and sets the phase.
//
//   starting -> serving -> draining -> stopping
//                   \------------------/^   a model cannot be served, a second signal, SIGQUIT
#pragma once

namespace yolod::app {

enum class Phase {
  kStarting,
  // The server accepts and answers requests. /readyz depends on the models.
  kServing,
  // /readyz fails. After drain_delay the server accepts no connections. It answers all pending requests.
  kDraining,
  // The server answers pending requests with 503. It asks the workers to exit, then sends SIGTERM, then SIGKILL, and
  // reaps all children.
  kStopping,
};

}  // namespace yolod::app
