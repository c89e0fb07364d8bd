// docs/metrics.md: every metric as observe/metric_table has it. `yolod --print-metrics-reference` prints it.
#pragma once

#include <string>

namespace yolod::app::reference {

// Writes the page as Markdown.
[[nodiscard]] std::string metrics_page();

}  // namespace yolod::app::reference
