#include "cli/engine_call.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <optional>
#include <sstream>

#include "base/file.hpp"
#include "engine/cache_filling.hpp"

namespace assay::cli {
namespace {

class EngineCallTest : public ::testing::Test {
 protected:
  EngineCallTest() {
    context_.err = &err_;
    context_.stop = &stop_;
    context_.leave = [this](int status) { left_.set_value(status); };
  }
  std::ostringstream err_;
  std::atomic<bool> stop_{false};
  std::promise<int> left_;
  Context context_;
};

TEST_F(EngineCallTest, InterruptedItLeavesWith130AndNothingHalfWritten) {
  const TemporaryFolder cache;
  std::optional<engine::Filling> filling = engine::Filling::begin(cache.path() / "graphs", {});
  {
    const EngineCall call(context_);
    stop_ = true;
    EXPECT_EQ(left_.get_future().get(), kInterrupted);
    EXPECT_TRUE(std::filesystem::is_empty(cache.path() / "graphs"));
  }
  EXPECT_EQ(err_.str(), "assay: interrupted\n");
}

TEST_F(EngineCallTest, InterruptedAfterwardsItDoesNotLeave) {
  {
    const EngineCall call(context_);
  }
  stop_ = true;
  EXPECT_EQ(left_.get_future().wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  context_.leave = nullptr;
  const EngineCall call(context_);  // where nobody can leave, the call goes on
}

}  // namespace
}  // namespace assay::cli
