// A folder filled by one `open` and read by the next.

#include <cmath>
#include <fstream>

#include "plugin_fixture.hpp"

namespace assay::ort {
namespace {

using onnx_bytes::fixed;
using onnx_bytes::named;
using onnx_bytes::node;
using onnx_bytes::value;
using ::testing::HasSubstr;

/// A convolution, a bias, a pooling and a product: what the optimizer fuses and lays out anew. Weights large enough to
/// be saved beside the graph.
std::string network() {
  const auto seeded = [](std::size_t count, unsigned seed) {
    std::vector<float> data(count);
    for (float& v : data) {
      seed = seed * 1664525U + 1013904223U;
      v = static_cast<float>(seed >> 8) / static_cast<float>(1U << 24) - 0.5F;
    }
    return data;
  };
  return onnx_bytes::model(
      {.nodes = {node("Conv", {"x", "w1", "b1"}, {"c1"}), node("Relu", {"c1"}, {"r1"}),
                 node("Conv", {"r1", "w2", "b2"}, {"c2"}), node("GlobalAveragePool", {"c2"}, {"p"}),
                 node("Flatten", {"p"}, {"f"}), node("Gemm", {"f", "w3", "b3"}, {"g"}), node("Softmax", {"g"}, {"y"})},
       .initializers = {onnx_bytes::float_tensor("w1", {16, 3, 3, 3}, seeded(16 * 27, 1)),
                        onnx_bytes::float_tensor("b1", {16}, seeded(16, 2)),
                        onnx_bytes::float_tensor("w2", {32, 16, 3, 3}, seeded(32 * 144, 3)),
                        onnx_bytes::float_tensor("b2", {32}, seeded(32, 4)),
                        onnx_bytes::float_tensor("w3", {32, 10}, seeded(320, 5)),
                        onnx_bytes::float_tensor("b3", {10}, seeded(10, 6))},
       .inputs = {value("x", 1, {named("N"), fixed(3), fixed(12), fixed(12)})},
       .outputs = {value("y", 1, {named("N"), fixed(10)})}});
}

class CacheTest : public PluginTest {
 protected:
  std::vector<float> answer() {
    const std::vector<std::int64_t> in = {2, 3, 12, 12};
    const std::vector<std::int64_t> out = {2, 10};
    std::vector<float> x(2 * 3 * 12 * 12);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
    std::vector<float> y(20);
    std::vector<assay_tensor> outputs = {tensor(y, out)};
    EXPECT_EQ(run(slot({in}), {tensor(x, in)}, outputs), ASSAY_OK) << message();
    return y;
  }

  /// Fills the cache from `model` and closes.
  void fill(const std::string& model) {
    std::filesystem::create_directory(cache_);
    assay_open_request r = request(model);
    r.cache_fill = cache_.c_str();
    open(r);
    EXPECT_EQ(info_.from_cache, 0);
    EXPECT_THAT(log_, ::testing::Not(::testing::Contains(HasSubstr("Serializing optimized model"))));
    filled_ = answer();
    close_session();
  }

  assay_status try_read(const std::string& model) {
    assay_open_request r = request(model);
    r.cache_read = cache_.c_str();
    return try_open(r);
  }

  std::string cache_ = (folder_.path() / "entry").string();
  std::vector<float> filled_;
};

TEST_F(CacheTest, WhatIsReadAnswersWithTheSameBits) {
  const std::string model = write_model(network());
  open(request(model));
  const std::vector<float> plain = answer();
  close_session();
  fill(model);
  EXPECT_EQ(filled_, plain);
  assay_open_request r = request(model);
  r.cache_read = cache_.c_str();
  open(r);
  EXPECT_NE(info_.from_cache, 0);
  EXPECT_EQ(in_force("graph_optimization_level"), "all");
  EXPECT_STREQ(info_.inputs[0].axes[0], "N");
  EXPECT_EQ(info_.inputs[0].shape[0], -1);
  EXPECT_EQ(answer(), plain);
}

TEST_F(CacheTest, AnEntryCanBeMovedBeforeItIsRead) {
  const std::string model = write_model(network());
  fill(model);
  const std::string elsewhere = (folder_.path() / "elsewhere").string();
  std::filesystem::rename(cache_, elsewhere);
  cache_ = elsewhere;
  ASSERT_EQ(try_read(model), ASSAY_OK) << message();
  info_.struct_size = sizeof info_;
  ASSERT_EQ(table().describe(session_, &info_, &error_), ASSAY_OK);
  EXPECT_EQ(answer(), filled_);
}

TEST_F(CacheTest, TheModelItselfIsNotReadAgain) {
  const std::string model = write_model(network());
  fill(model);
  onnx_bytes::write(model, "no longer a model");
  EXPECT_EQ(try_read(model), ASSAY_OK) << message();
}

TEST_F(CacheTest, ADamagedEntryIsRefused) {
  const std::string model = write_model(network());
  fill(model);
  for (const auto& file : std::filesystem::directory_iterator(cache_)) {
    std::filesystem::resize_file(file.path(), file.file_size() / 2);
  }
  EXPECT_NE(try_read(model), ASSAY_OK);
  EXPECT_THAT(message(), HasSubstr(cache_));
}

TEST_F(CacheTest, AnEmptyEntryIsRefused) {
  const std::string model = write_model(network());
  std::filesystem::create_directory(cache_);
  EXPECT_NE(try_read(model), ASSAY_OK);
}

}  // namespace
}  // namespace assay::ort
