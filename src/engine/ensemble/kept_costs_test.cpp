// The costs in their file. What a load does with them: loading_test.cpp.
#include "engine/ensemble/kept_costs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "engine/testing/cache_folder.hpp"
#include "engine/testing/sessions.hpp"

namespace assay::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

class KeptCostsTest : public test::CacheFolderTest {
 protected:
  static KeyParts costs_of(const std::string& threads = "2") { return {{"0 model", "m"}, {"0 threads", threads}}; }
  bool keep(const std::vector<double>& costs) {
    return keep_costs(folder(), costs_of(), costs,
                      [this](LogLevel, const std::string& text) { warnings_.push_back(text); });
  }
  [[nodiscard]] std::optional<std::vector<double>> found() const { return find_costs(folder(), costs_of(), 2); }

  std::vector<std::string> warnings_;
};

TEST_F(KeptCostsTest, WhatWasKeptIsFoundToTheLastBit) {
  EXPECT_EQ(found(), std::nullopt);
  EXPECT_TRUE(keep({1.25, 1e9 / 3}));
  EXPECT_THAT(found(), Optional(ElementsAre(1.25, 1e9 / 3)));
  EXPECT_TRUE(keep({2, 3}));
  EXPECT_THAT(found(), Optional(ElementsAre(2.0, 3.0)));
  EXPECT_EQ(find_costs(folder(), costs_of("4"), 2), std::nullopt);
  EXPECT_EQ(find_costs(folder(), costs_of(), 3), std::nullopt);
  EXPECT_EQ(find_costs({}, costs_of(), 2), std::nullopt);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(KeptCostsTest, ADamagedOrForeignFileIsPassedOverAndWrittenAnew) {
  const std::string key = key_of(costs_of());
  const auto text = [](const std::string& schema, const std::string& of, const std::string& costs) {
    return R"({"schema": )" + schema + R"(, "key": ")" + of + R"(", "costs": )" + costs + "}";
  };
  keep({1, 2});
  const std::filesystem::path file = folder() / "costs" / (key + ".costs");
  write_file_atomically(file, text("1", key, "[1, 2]"));
  EXPECT_THAT(found(), Optional(ElementsAre(1.0, 2.0)));
  for (const std::string& broken :
       {std::string(), std::string("{"), std::string("[1, 2]"), text("2", key, "[1, 2]"),
        text("1", key_of(costs_of("4")), "[1, 2]"), text("1", key, "[1]"), text("1", key, "[1, 0]"),
        text("1", key, "[1, -2]"), text("1", key, "[1, null]"), text("1", key, "[1, 1e999]"), text("1", key, "2")}) {
    write_file_atomically(file, broken);
    EXPECT_EQ(found(), std::nullopt) << broken;
  }
  keep({3, 4});
  EXPECT_THAT(found(), Optional(ElementsAre(3.0, 4.0)));
}

TEST_F(KeptCostsTest, AFolderThatCannotBeWrittenIsAWarning) {
  write_file_atomically(folder(), std::string("a file where the folder should be"));
  EXPECT_FALSE(keep({1, 2}));
  EXPECT_EQ(found(), std::nullopt);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("could not be kept in")));
}

// The spy's graph depends on neither goal nor batches in flight, and on few of its options.
TEST(CostParts, HaveAllThatTheTimeDependsOn) {
  const backend::Backend spy = backend::load_plugin(ASSAY_BUILD_DIR "/tests/plugins/libassay_backend_spy.so");
  const test::FakeModel model(test::kIo);
  const Layout layout(model.model.inputs, model.model.outputs, Params{});
  const CheckedRequest base{spy, {}, {}, {}, layout};
  const KeyParts parts = cost_parts("hash", base, 4);
  EXPECT_EQ(parts, cost_parts("hash", base, 4));
  EXPECT_NE(parts, cost_parts("other hash", base, 4));
  EXPECT_NE(parts, cost_parts("hash", base, 8));
  const std::vector<std::function<void(CheckedRequest&)>> changes = {
      [](CheckedRequest& c) { c.probe.version = "2"; },
      [](CheckedRequest& c) { c.probe.library = "another build"; },
      [](CheckedRequest& c) { c.device.identity = "another CPU"; },
      [](CheckedRequest& c) { c.request.threads = 2; },
      [](CheckedRequest& c) { c.request.in_flight = 2; },
      [](CheckedRequest& c) { c.request.batch_size = 8; },
      [](CheckedRequest& c) { c.request.goal = Goal::kLatency; },
      [](CheckedRequest& c) { c.request.cores = ASSAY_CORES_SHARED; },
      [](CheckedRequest& c) { c.request.options["delay_us"] = "1"; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CheckedRequest other = base;
    changes[i](other);
    EXPECT_NE(parts, cost_parts("hash", other, 4)) << i;
  }
}

}  // namespace
}  // namespace assay::engine
