// Builds a filter of system calls (seccomp) from a list of rules. A filter that is in force cannot be removed. The
// kernel takes the strictest result of several filters.
#pragma once

#include <seccomp.h>

#include <cstdint>
#include <initializer_list>
#include <memory>

#include "common/outcome.hpp"

namespace yolod::common {

// Collects the first failure, so that the rules read as a list. One thread uses it.
class CallFilter {
 public:
  // `default_action` (SCMP_ACT_*) applies to each call that no rule names.
  explicit CallFilter(std::uint32_t default_action);

  void attribute(scmp_filter_attr which, std::uint32_t value);
  void rule(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> conditions = {});
  void rules(std::uint32_t action, std::initializer_list<int> calls);
  void allow(int call, std::initializer_list<scmp_arg_cmp> conditions) { rule(SCMP_ACT_ALLOW, call, conditions); }

  // Puts the filter in force for every thread of this process, permanently. A call of another architecture then ends
  // the process. An Error says in one line what the kernel refused. REQUIRES: no_new_privs.
  [[nodiscard]] Outcome<void> load();

 private:
  void keep(int result);

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int failure_{0};
};

// Checks whether the kernel accepts a filter at all, because libseccomp would report a refusal with a less clear error.
[[nodiscard]] Outcome<void> look_for_seccomp();

}  // namespace yolod::common
