// ScriptChildBench has what a parent of yolod-accounts needs: an event loop, the table of children, and a shell script
// in place of the program.
#pragma once

#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "app/process/child_table.hpp"
#include "app/process/reaper.hpp"
#include "app/process/spawn.hpp"
#include "common/awake_clock.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::process {

class ScriptChildBench {
 public:
  explicit ScriptChildBench(const std::string& script) {
    const auto file = folder.write("script", "#!/bin/sh\n" + script + '\n');
    chmod(file.c_str(), 0700);
    spawn.programs["yolod-accounts"] = file;
    getrlimit(RLIMIT_NOFILE, &spawn.open_files);
  }
  ScriptChildBench(const ScriptChildBench&) = delete;
  ScriptChildBench& operator=(const ScriptChildBench&) = delete;

  // Runs the event loop and reaps children until `done` holds. Returns false after 20 s.
  [[nodiscard]] bool wait_until(const std::function<bool()>& done) {
    using namespace std::chrono_literals;
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      (void)common::AwakeClock::now();  // without readings the clock loses time
      io.restart();
      io.run_one_for(5ms);
      reap_children([this](pid_t pid, const Death& death) { (void)children.reaped(pid, death); });
    }
    return true;
  }

  tests::TemporaryDirectory folder;
  boost::asio::io_context io;
  SpawnSettings spawn;
  ChildTable children;

 protected:
  ~ScriptChildBench() = default;
};

// A script that does nothing until it is killed.
inline constexpr const char* kLives = "exec sleep 600";

}  // namespace yolod::app::process
