// What main does before all else.
#pragma once

namespace yolod::app::host {

// Called first in main: default dispositions (an inherited SIG_IGN of SIGCHLD would lose every child's status), SIGPIPE
// and SIGXFSZ ignored (a write then fails, and says so), and exactly the signals that SignalReader reads blocked.
void block_front_end_signals();

}  // namespace yolod::app::host
