// What can be said of GPUs with the real library and without a GPU.

#include "float16_file.hpp"
#include "plugin_fixture.hpp"

namespace assay::ort {
namespace {

using ::testing::HasSubstr;

using GpuTest = PluginTest;

const std::vector<std::int64_t> kIn2x4 = {2, 4};
const std::vector<std::int64_t> kOut2x3 = {2, 3};

TEST_F(GpuTest, AGpuIsUnavailableForALibraryWithoutCuda) {
  const assay_host h = host();
  assay_probe_result probe{};
  probe.struct_size = sizeof probe;
  ASSERT_EQ(table().probe(&h, &probe, &error_), ASSAY_OK) << message();
  if (std::string(probe.absent).find("without CUDA") == std::string::npos) {
    GTEST_SKIP() << "ONNX Runtime " << probe.version << " has CUDA's provider";
  }
  EXPECT_EQ(probe.device_count, 1U);
  EXPECT_THAT(probe.absent,
              ::testing::AllOf(::testing::StartsWith("no GPU: "), HasSubstr(probe.library),
                               HasSubstr("CPUExecutionProvider"), HasSubstr("assay setup onnxruntime-gpu")));
  assay_open_request r = request(write_model(onnx_bytes::dense()));
  r.device = "gpu:0";
  EXPECT_EQ(try_open(r), ASSAY_UNAVAILABLE);
  EXPECT_THAT(message(), ::testing::AllOf(HasSubstr("was built without CUDA"), HasSubstr(probe.library),
                                          HasSubstr("assay setup onnxruntime-gpu")));
}

TEST_F(GpuTest, AHostThatKnowsNoAbsentDevicesIsNotWrittenTo) {
  const assay_host h = host();
  assay_probe_result probe{};
  probe.struct_size = offsetof(assay_probe_result, absent);
  const char* const untouched = "untouched";
  probe.absent = untouched;
  ASSERT_EQ(table().probe(&h, &probe, &error_), ASSAY_OK) << message();
  EXPECT_EQ(probe.absent, untouched);
}

// The CPU computes a float16 file too, if slowly: what is converted for GPUs means the same.
TEST_F(GpuTest, AModelThatWasConvertedToFloat16AnswersTheSame) {
  const std::string converted = write_in_float16(write_model(onnx_bytes::dense()), folder_.path());
  open(request(converted));
  EXPECT_EQ(in_force("precision"), "f16");
  EXPECT_EQ(info_.inputs[0].dtype, ASSAY_FLOAT32) << "its ends stay";
  std::vector<float> x = {1, 2, 3, 4, -1, 0, 0, 1};
  std::vector<float> y(6, -7);
  std::vector<assay_tensor> outputs = {tensor(y, kOut2x3)};
  ASSERT_EQ(run(slot({{2, 4}}), {tensor(x, kIn2x4)}, outputs), ASSAY_OK) << message();
  EXPECT_THAT(y, ::testing::ElementsAre(20, 10.5, 1, 3, 3.5, 4));  // small integers and halves: float16 has them
}

}  // namespace
}  // namespace assay::ort
