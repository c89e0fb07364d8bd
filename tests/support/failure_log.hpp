// Records whether the running test case has a failed assertion: a Server prints its log only then.
#pragma once

#include <string>

namespace yolod::tests {

[[nodiscard]] bool test_case_has_failed();

// Fails the running test case, also from a destructor. If no test case runs, or an exception is being thrown, it only
// writes to stderr.
void report_failure(const std::string& what);

}  // namespace yolod::tests
