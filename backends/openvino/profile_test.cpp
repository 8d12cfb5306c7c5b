#include "profile.hpp"

#include <gtest/gtest.h>

#include <array>

#include "assay/backend_kit_json.hpp"

namespace assay::openvino {
namespace {

TEST(Profile, SumsEachNodeOverBatches) {
  std::array<ov_profiling_info, 2> infos = {
      {{2, 10, 7, "conv \"1\"", "jit_avx2_f32", "Convolution"}, {1, 0, 0, "gone", nullptr, "Const"}}};
  const ov_profiling_info_list batch{infos.data(), infos.size()};
  Profile profile;
  EXPECT_EQ(profile.json(), "{\"batches\": 0, \"nodes\": []}");
  profile.add(batch);
  infos[0].real_time = 20;
  profile.add(batch);
  EXPECT_EQ(profile.batches(), 2U);
  EXPECT_EQ(profile.json(),
            "{\"batches\": 2, \"nodes\": [{\"name\": \"conv \\\"1\\\"\", \"type\": \"Convolution\", "
            "\"implementation\": \"jit_avx2_f32\", \"runs\": 2, \"wall_us\": 30, \"cpu_us\": 14}, {\"name\": "
            "\"gone\", \"type\": \"Const\", \"implementation\": \"\", \"runs\": 0, \"wall_us\": 0, \"cpu_us\": 0}]}");
}

TEST(Profile, QuotesWhatJsonCannotHold) { EXPECT_EQ(kit::json_string("a\\b\"c\n"), "\"a\\\\b\\\"c\\u000a\""); }

}  // namespace
}  // namespace assay::openvino
