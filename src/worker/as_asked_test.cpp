// What is read back against what was asked for.
#include <gtest/gtest.h>

#include "assay/error.hpp"
#include "worker/tasks.hpp"

namespace assay::worker {
namespace {

struct AsAsked {
  const char* name;
  std::map<std::string, std::string> in_force;
  bool accepted;
};
void PrintTo(const AsAsked& a, std::ostream* out) { *out << a.name; }  // NOLINT: gtest's name

class AReadBack : public testing::TestWithParam<AsAsked> {};

TEST_P(AReadBack, MustBeWhatWasAskedFor) {
  Case c;
  c.backend = "onnxruntime";
  c.device = "gpu:0";
  if (GetParam().accepted) {
    EXPECT_NO_THROW(require_as_asked(c, GetParam().in_force));
  } else {
    EXPECT_THROW(require_as_asked(c, GetParam().in_force), Error);
  }
}

TEST(ReadBack, NamesTheNodesThatMadeItAnotherDevice) {
  Case c;
  c.device = "gpu:0";
  for (const char* member : {"", "b."}) {
    const std::string name = member;
    try {
      require_as_asked(c, {{name + "device", "cpu"}, {name + "nodes.cpu", "3: Conv x, Conv y, Conv z"}});
      ADD_FAILURE() << "accepted";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("; nodes on the CPU: 3: Conv x, Conv y, Conv z"), std::string::npos);
    }
  }
}

TEST(ReadBack, OfMembersOnSeveralDevicesEachHasItsOwn) {
  Case c;
  c.model = "zoo/a.onnx+zoo/a.onnx";
  c.strategy = kPlaced;
  c.device = "cpu+gpu:0";
  c.placement = {"pipelined", {{.backend = "x", .device = "gpu:0"}, {.backend = "x", .device = "cpu"}}};
  EXPECT_NO_THROW(require_as_asked(c, {{"a.device", "gpu:0"}, {"a#2.device", "cpu"}}));
  EXPECT_THROW(require_as_asked(c, {{"a.device", "cpu"}, {"a#2.device", "gpu:0"}}), Error);
  EXPECT_THROW(require_as_asked(c, {{"a.device", "cpu"}, {"a#2.device", "cpu"}, {"device", "cpu"}}), Error);
}

INSTANTIATE_TEST_SUITE_P(
    Of, AReadBack,
    testing::Values(AsAsked{"a_model", {{"device", "gpu:0"}, {"precision", "f32"}}, true},
                    AsAsked{"nothing_said", {}, true}, AsAsked{"another_device", {{"device", "cpu"}}, false},
                    AsAsked{"an_ensemble", {{"a.device", "gpu:0"}, {"b.device", "gpu:0"}, {"device", "gpu:0"}}, true},
                    AsAsked{"one_member_elsewhere", {{"a.device", "gpu:0"}, {"b.device", "cpu"}}, false},
                    AsAsked{"one_member_in_bf16", {{"a.precision", "f32"}, {"b.precision", "bf16"}}, false},
                    AsAsked{"a_model_in_float16", {{"device", "gpu:0"}, {"precision", "f16"}}, true}),
    [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace assay::worker
