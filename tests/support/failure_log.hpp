// Whether the running test case has had a failed assertion: a Server prints its log then, and only then.
#pragma once

#include <string>

namespace yolod::tests {

[[nodiscard]] bool test_case_has_failed();

// Fails the running test case, from a destructor as well; where none runs, or an exception is on its way, says so on
// stderr alone.
void report_failure(const std::string& what);

}  // namespace yolod::tests
