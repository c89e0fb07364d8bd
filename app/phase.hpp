// Where the server is in its life.
//
//   starting -> serving -> draining -> stopping
//                   \------------------/^   a model cannot be served, a second signal, SIGQUIT
#pragma once

namespace yolod::app {

enum class Phase {
  kStarting,
  kServing,   // accepts and answers; readiness follows the models
  kDraining,  // readiness fails; after drain_delay no more connections; everything in flight is answered
  kStopping,  // what is left is answered 503; workers are asked, then SIGTERM, then SIGKILL; all are reaped
};

}  // namespace yolod::app
