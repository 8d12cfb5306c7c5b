#include "trace.hpp"

#include <gmock/gmock.h>

#include "wire.hpp"

namespace assay::tensorflow {
namespace {

using testing::HasSubstr;

MessageWriter node(const char* name, const char* label, int start, int end) {
  return MessageWriter().text(1, name).integer(2, 1000).integer(3, start).integer(4, end).text(8, label);
}

std::string metadata(std::initializer_list<MessageWriter> nodes) {
  MessageWriter device;
  for (const MessageWriter& n : nodes) device.message(2, n);
  device.text(1, "/job:localhost/replica:0/task:0/device:CPU:0");
  return MessageWriter().message(1, MessageWriter().message(1, device)).bytes();
}

TEST(Trace, CountsTheClustersThatRanCompiled) {
  Trace trace;
  EXPECT_EQ(trace.clusters(), 0U);
  trace.add(metadata(
      {node("a", "a = MatMul(x, w)", 2, 12), node("cluster_0_1/xla_run", "cluster_0_1/xla_run = _XlaRun(a)", 12, 42)}));
  trace.add(metadata({node("cluster_0_1/xla_run", "cluster_0_1/xla_run = _XlaRun(a)", 10, 30),
                      node("cluster_0_1/xla_compile", "cluster_0_1/xla_compile = _XlaCompile(a)", 0, 900)}));
  EXPECT_EQ(trace.batches(), 2U);
  EXPECT_EQ(trace.clusters(), 1U);
  EXPECT_THAT(trace.placement(),
              HasSubstr("\"device\": \"/job:localhost/replica:0/task:0/device:CPU:0\", \"nodes\": 3"));
  EXPECT_THAT(trace.placement(), HasSubstr("\"xla_clusters\": 1, \"xla_share\": 0.83"));
  EXPECT_NEAR(trace.xla_share(), 50 / 60.0, 1e-9);  // compiling does not count
  EXPECT_THAT(trace.profile(), HasSubstr("\"type\": \"_XlaRun\""));
  EXPECT_THAT(trace.profile(), HasSubstr("\"runs\": 2, \"wall_us\": 50"));
  EXPECT_THAT(trace.profile(), HasSubstr("\"runs\": 1, \"wall_us\": 10"));
}

TEST(Trace, SeesWhatGrapplerMade) {
  Trace trace;
  trace.add(metadata({node("a", "a = Conv2D(x, w)", 0, 1)}));
  EXPECT_EQ(trace.fused(), 0U);
  EXPECT_FALSE(trace.mixed_precision());
  trace.add(metadata({node("b", "b = _FusedConv2D(x, w)", 0, 1), node("c", "c = _MklNativeFusedMatMul(x, w)", 0, 1),
                      node("x-0-CastToBf16-AutoMixedPrecision", "x = Cast(x)", 0, 1)}));
  EXPECT_EQ(trace.fused(), 2U);
  EXPECT_TRUE(trace.mixed_precision());
}

TEST(Trace, OfBytesThatAreNoMetadataIsEmpty) {
  Trace trace;
  trace.add("\xff\xff\xff");
  EXPECT_EQ(trace.clusters(), 0U);
  EXPECT_EQ(trace.placement(), "{\"devices\": [], \"xla_clusters\": 0, \"xla_share\": 0.000000}");
}

TEST(Trace, AsksForSoftwareTracing) { EXPECT_EQ(traced_run_options(), "\x08\x01"); }

}  // namespace
}  // namespace assay::tensorflow
