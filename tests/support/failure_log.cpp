#include "tests/support/failure_log.hpp"

#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <catch2/catch.hpp>
#include <exception>
#include <iostream>

namespace yolod::tests {
namespace {

bool has_failed = false;
bool is_running = false;

class FailureListener : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    TestEventListenerBase::testCaseStarting(info);
    has_failed = false;
    is_running = true;
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    is_running = false;
    TestEventListenerBase::testCaseEnded(stats);
  }

  bool assertionEnded(const Catch::AssertionStats& stats) override {
    has_failed = has_failed || !stats.assertionResult.isOk();
    return TestEventListenerBase::assertionEnded(stats);
  }
};

CATCH_REGISTER_LISTENER(FailureListener)

}  // namespace

bool test_case_has_failed() { return has_failed || std::uncaught_exceptions() > 0; }

void report_failure(const std::string& what) {
  if (is_running && std::uncaught_exceptions() == 0) {
    FAIL_CHECK(what);
  } else {
    std::cerr << what << "\n";
  }
}

}  // namespace yolod::tests
