#include "cli/engine_call.hpp"

#include <chrono>
#include <ostream>

#include "engine/cache_filling.hpp"

namespace assay::cli {

EngineCall::EngineCall(const Context& context) : context_(context) {
  if (context_.leave && context_.stop != nullptr) {
    watcher_ = std::jthread([this](const std::stop_token& done) { watch(done); });
  }
}

void EngineCall::watch(const std::stop_token& done) {
  constexpr std::chrono::milliseconds kTick(20);
  std::unique_lock lock(mutex_);
  while (!*context_.stop) {
    wake_.wait_for(lock, done, kTick, [] { return false; });
    if (done.stop_requested()) return;
  }
  const auto none_begins = engine::drop_fillings();
  *context_.err << "assay: interrupted\n" << std::flush;
  context_.leave(kInterrupted);
}

}  // namespace assay::cli
