// Whether the running test case has had a failed assertion: a Server prints its log then, and only then.
#pragma once

namespace yolod::tests {

[[nodiscard]] bool test_case_has_failed();

}  // namespace yolod::tests
