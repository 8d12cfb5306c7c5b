// The compiled graph that one session leaves and another takes up.
#include <fstream>
#include <vector>

#include "framework_fixture.hpp"

namespace assay::openvino {
namespace {

using test::OpenVino;

class Cache : public OpenVino {
 protected:
  void SetUp() override {
    OpenVino::SetUp();
    write_model(test::add_relu());
    cache_ = folder_ + "/cache";
    std::filesystem::create_directory(cache_);
  }

  std::vector<float> answer() {
    const auto session = open();
    from_cache_ = session->describe().from_cache;
    description_ = session->describe();
    const std::vector<kit::FixedShape> shapes = {{"x", {2, 3}}};
    const auto slot = session->open_slot(shapes);
    std::vector<float> x = {0, 1, 2, -5, 5, 0.5F}, y(6);
    const std::vector<std::int64_t> shape = {2, 3};
    const assay_tensor in = test::tensor(x, shape, ASSAY_FLOAT32);
    assay_tensor out = test::tensor(y, shape, ASSAY_FLOAT32);
    kit::Timing timing;
    slot->submit({&in, 1}, {&out, 1}, nullptr, nullptr);
    slot->wait({&out, 1}, timing);
    return y;
  }

  std::string cache_;
  bool from_cache_ = false;
  kit::Description description_;
};

TEST_F(Cache, AnExportedGraphIsImportedWithItsSettingsAndTheSameAnswer) {
  request_.shapes = {{"x", {2, 3}}};
  request_.cache_fill = cache_;
  const std::vector<float> cold = answer();
  EXPECT_FALSE(from_cache_);
  EXPECT_TRUE(std::filesystem::exists(cache_ + "/model.blob"));

  request_.cache_fill.clear();
  request_.cache_read = cache_;
  request_.goal = ASSAY_GOAL_THROUGHPUT;
  request_.options = {{"streams", "2"}};
  EXPECT_EQ(answer(), cold);
  EXPECT_EQ(cold, (std::vector<float>{1, 0, 5, 0, 3, 3.5F}));
  EXPECT_TRUE(from_cache_);
  EXPECT_EQ(in_force(description_, "streams"), "2");
  EXPECT_EQ(in_force(description_, "performance_hint"), "throughput");
  EXPECT_EQ(in_force(description_, "precision"), "f32");
  EXPECT_EQ(description_.inputs.at(0).name, "x");
  EXPECT_EQ(description_.inputs.at(0).shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(description_.outputs.at(0).name, "y");
}

TEST_F(Cache, AFreeBatchStaysFree) {
  request_.cache_fill = cache_;
  const std::vector<float> cold = answer();
  request_.cache_fill.clear();
  request_.cache_read = cache_;
  EXPECT_EQ(answer(), cold);
  EXPECT_TRUE(from_cache_);
  EXPECT_EQ(description_.inputs.at(0).shape, (std::vector<std::int64_t>{-1, 3}));
  EXPECT_EQ(description_.inputs.at(0).axes, (std::vector<std::string>{"batch", ""}));
}

TEST_F(Cache, AGraphThatOpenVinoRefusesIsCompiledAnewWithAWarning) {
  for (const char* content : {"", "garbage"}) {
    std::ofstream(cache_ + "/model.blob", std::ios::binary | std::ios::trunc) << content;
    request_.cache_read = cache_;
    std::string warning;
    assay_host raw{};
    raw.log = [](void* user, assay_log_level level, const char* message) {
      if (level == ASSAY_LOG_WARNING) *static_cast<std::string*>(user) += message;
    };
    raw.log_user = &warning;
    const auto roots = request_.host.roots;
    request_.host = kit::Host(&raw);
    request_.host.roots = roots;
    EXPECT_EQ(answer().size(), 6U);
    EXPECT_FALSE(from_cache_);
    EXPECT_THAT(warning, testing::HasSubstr("compiled instead"));
  }
}

TEST_F(Cache, AFolderThatCannotBeFilledIsAFailure) {
  request_.cache_fill = folder_ + "/not/there";
  const auto [code, message] = failure_of([&] { open(); });
  EXPECT_EQ(code, ASSAY_FRAMEWORK);
  EXPECT_THAT(message, testing::HasSubstr("/not/there/model.blob"));
}

}  // namespace
}  // namespace assay::openvino
