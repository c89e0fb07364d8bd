#include "tests/support/failure_log.hpp"

#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <catch2/catch.hpp>
#include <exception>

namespace yolod::tests {
namespace {

bool has_failed = false;

class FailureListener : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    TestEventListenerBase::testCaseStarting(info);
    has_failed = false;
  }

  bool assertionEnded(const Catch::AssertionStats& stats) override {
    has_failed = has_failed || !stats.assertionResult.isOk();
    return TestEventListenerBase::assertionEnded(stats);
  }
};

CATCH_REGISTER_LISTENER(FailureListener)

}  // namespace

bool test_case_has_failed() { return has_failed || std::uncaught_exceptions() > 0; }

}  // namespace yolod::tests
