// Sets the front-end's signal dispositions and signal mask.
#pragma once

namespace yolod::app::host {

// Call it first in main(). It restores the default dispositions, because an inherited SIG_IGN of SIGCHLD would lose
// the exit status of every child. It ignores SIGPIPE and SIGXFSZ, so that a write fails with an error instead. It
// blocks exactly the signals that SignalReader reads.
void block_front_end_signals();

}  // namespace yolod::app::host
