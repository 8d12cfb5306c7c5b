// How many batches compute at once, whatever is outstanding.

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "plugin_fixture.hpp"

namespace assay::ort {
namespace {

using onnx_bytes::fixed;
using onnx_bytes::node;
using onnx_bytes::value;

using StreamsTest = PluginTest;

/// Most batches that computed at once, by the library's own profile.
int most_at_once(const std::string& profile) {
  std::vector<std::pair<long, long>> runs;
  std::istringstream lines(profile);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find("\"dur\" :");
    long lasted = 0, begin = 0;
    if (line.find("\"model_run\"") == std::string::npos || at == std::string::npos) continue;
    if (std::sscanf(line.c_str() + at, "\"dur\" :%ld,\"ts\" :%ld", &lasted, &begin) != 2)
      continue;  // NOLINT(cert-err34-c)
    runs.emplace_back(begin, begin + lasted);
  }
  int most = 0;
  for (const auto& [begin, over] : runs) {
    int now = 0;
    for (const auto& [other, other_over] : runs) now += other <= begin && begin < other_over ? 1 : 0;
    most = std::max(most, now);
  }
  return most;
}

TEST_F(StreamsTest, NoMoreBatchesComputeAtOnceThanThereAreStreams) {
  constexpr std::int64_t kSize = 256;
  const std::vector<float> weights(kSize * kSize, 0.01F);
  assay_open_request r = request(
      write_model(onnx_bytes::model({.nodes = {node("MatMul", {"x", "w"}, {"a"}), node("MatMul", {"a", "w"}, {"b"}),
                                               node("MatMul", {"b", "w"}, {"y"})},
                                     .initializers = {onnx_bytes::float_tensor("w", {kSize, kSize}, weights)},
                                     .inputs = {value("x", 1, {fixed(kSize), fixed(kSize)})},
                                     .outputs = {value("y", 1, {fixed(kSize), fixed(kSize)})}})));
  r.profile = 1;
  r.in_flight = 8;
  open(r);
  EXPECT_EQ(in_force("streams"), "2");
  const std::vector<std::int64_t> shape = {kSize, kSize};
  std::vector<std::vector<float>> x(8, std::vector<float>(kSize * kSize, 1)), y = x;
  std::vector<assay_slot*> slots;
  for (int i = 0; i < 8; ++i) slots.push_back(slot({shape}));
  for (int round = 0; round < 4; ++round) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const assay_tensor in = tensor(x[i], shape), out = tensor(y[i], shape);
      ASSERT_EQ(table().submit(slots[i], &in, 1, &out, 1, [](void*) {}, nullptr, &error_), ASSAY_OK) << message();
    }
    for (std::size_t i = 0; i < slots.size(); ++i) {
      assay_tensor out = tensor(y[i], shape);
      ASSERT_EQ(table().wait(slots[i], &out, 1, nullptr, &error_), ASSAY_OK) << message();
    }
  }
  const char* text = nullptr;
  ASSERT_EQ(table().report(session_, "profile", &text, &error_), ASSAY_OK) << message();
  EXPECT_GE(most_at_once(text), 1);
  EXPECT_LE(most_at_once(text), 2);
}

}  // namespace
}  // namespace assay::ort
