#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "cli/cli.hpp"

namespace assay::cli {

/// A call into an engine that this process makes itself, and that nothing can stop: loading compiles for minutes. While
/// this lives, Ctrl-C ends the process (Context::leave), and of what was being filled nothing stays in the graph cache.
class EngineCall {
 public:
  explicit EngineCall(const Context& context);
  EngineCall(const EngineCall&) = delete;
  EngineCall& operator=(const EngineCall&) = delete;

 private:
  void watch(const std::stop_token& done);
  const Context& context_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread watcher_;  // last: ends before what it uses
};

}  // namespace assay::cli
