#include "common/system/call_filter.hpp"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace yolod::common {

CallFilter::CallFilter(std::uint32_t default_action) : context_(seccomp_init(default_action), seccomp_release) {
  if (!context_) failure_ = -ENOMEM;
  attribute(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  attribute(SCMP_FLTATR_CTL_NNP, 0);
  attribute(SCMP_FLTATR_CTL_TSYNC, 1);
  // Older kernels (before 5.16) enable a slower processor mode against speculation with every filter. This process
  // runs only trusted code, so switch that off.
  attribute(SCMP_FLTATR_CTL_SSB, 1);
  attribute(SCMP_FLTATR_API_SYSRAWRC, 1);
}

void CallFilter::attribute(scmp_filter_attr which, std::uint32_t value) {
  if (context_) keep(seccomp_attr_set(context_.get(), which, value));
}

void CallFilter::rule(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> conditions) {
  if (!context_) return;
  keep(seccomp_rule_add_array(context_.get(), action, call, static_cast<unsigned>(conditions.size()),
                              conditions.begin()));
}

void CallFilter::rules(std::uint32_t action, std::initializer_list<int> calls) {
  for (const int call : calls) rule(action, call);
}

Outcome<void> CallFilter::load() {
  if (failure_ != 0) return system_error("the filter of system calls cannot be built", -failure_);
  if (const int refused = seccomp_load(context_.get()); refused != 0) {
    return system_error("the filter of system calls is refused", refused < 0 ? -refused : EINVAL);
  }
  return {};
}

void CallFilter::keep(int result) {
  if (result < 0 && failure_ == 0) failure_ = result;
}

Outcome<void> look_for_seccomp() {
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) return {};
  return last_system_error("the seccomp system call is refused");
}

}  // namespace yolod::common
