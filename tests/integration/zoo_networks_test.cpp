// The zoo's weights make its networks a real test of an engine: on seeded noise they tell inputs apart, every layer
// has a part in it, and a small mistake anywhere in the net shows in the logits.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "assay/assay.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "model/model.hpp"
#include "model/zoo.hpp"
#include "onnx_graph/onnx.pb.h"
#include "support/noise.hpp"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kInputs = 64;
constexpr double kTolerance = 2e-4;  // of float32, of the largest logit
constexpr double kChange = 2e-4;     // of a layer's output between two inputs; rounding is a hundredth of it

Tensor noise(std::int64_t count) { return test::noise({count, 3, 224, 224}, 7); }

std::vector<Tensor> answers(const fs::path& model, const Tensor& x, std::int64_t batch_size) {
  return load(model, {.backend = "onnxruntime", .batch_size = batch_size}).predict(x.view());
}

/// One mistake.
struct Mutant {
  std::string kind;
  std::string where;
};

void PrintTo(const Mutant& m, std::ostream* out) { *out << m.kind << " of " << m.where; }

/// Every mistake of the three kinds that can be made in the net.
std::vector<Mutant> all_mutants(const onnx::GraphProto& graph) {
  std::vector<Mutant> mutants;
  for (const auto& node : graph.node()) {
    const bool conv = node.op_type() == "Conv";
    if ((conv || node.op_type() == "Gemm") && node.input_size() > 2) mutants.push_back({"bias", node.input(2)});
    if (node.op_type() == "BatchNormalization") mutants.push_back({"bias", node.input(2)});
    if (conv) mutants.push_back({"channels", node.input(1)});
    for (const auto& a : node.attribute()) {
      if (a.name() == "pads" && a.ints(0) > 0) mutants.push_back({"padding", node.name()});
    }
  }
  return mutants;
}

/// A few of each kind, spread over the net.
std::vector<Mutant> choose(const std::vector<Mutant>& all, std::size_t per_kind) {
  std::vector<Mutant> chosen;
  for (const char* kind : {"bias", "channels", "padding"}) {
    std::vector<Mutant> of_kind;
    std::copy_if(all.begin(), all.end(), std::back_inserter(of_kind), [&](const Mutant& m) { return m.kind == kind; });
    const std::size_t n = std::min(per_kind, of_kind.size());
    for (std::size_t i = 0; i < n; ++i) chosen.push_back(of_kind[(2 * i + 1) * of_kind.size() / (2 * n)]);
  }
  return chosen;
}

/// Makes the mistake when constructed and mends it when destroyed.
class Mutation {
 public:
  Mutation(onnx::GraphProto& graph, const Mutant& mutant) {
    if (mutant.kind == "padding") {
      shift_padding(graph, mutant.where);
      return;
    }
    for (auto& tensor : *graph.mutable_initializer()) {
      if (tensor.name() != mutant.where) continue;
      raw_ = tensor.mutable_raw_data();
      old_ = *raw_;
      if (mutant.kind == "bias") {
        std::fill(raw_->begin(), raw_->end(), '\0');
      } else {  // the first channel and the one in the middle
        const auto row = static_cast<std::ptrdiff_t>(raw_->size()) / tensor.dims(0);
        const auto first = raw_->begin();
        std::swap_ranges(first, first + row, first + row * (tensor.dims(0) / 2));
      }
    }
  }
  ~Mutation() {
    if (raw_ != nullptr) *raw_ = old_;
    for (int i = 0; pads_ != nullptr && i < pads_->ints_size(); ++i) pads_->set_ints(i, old_pad_);
  }
  Mutation(const Mutation&) = delete;
  Mutation& operator=(const Mutation&) = delete;
  [[nodiscard]] bool made() const { return raw_ != nullptr || pads_ != nullptr; }

 private:
  // One less before, one more behind: the shape stays.
  void shift_padding(onnx::GraphProto& graph, const std::string& name) {
    for (auto& node : *graph.mutable_node()) {
      if (node.name() != name) continue;
      for (auto& a : *node.mutable_attribute()) {
        if (a.name() == "pads") pads_ = &a;
      }
    }
    if (pads_ == nullptr) return;
    old_pad_ = pads_->ints(0);
    for (int i = 0; i < 4; ++i) pads_->set_ints(i, old_pad_ + (i < 2 ? -1 : 1));
  }

  std::string* raw_ = nullptr;
  std::string old_;
  onnx::AttributeProto* pads_ = nullptr;
  std::int64_t old_pad_ = 0;
};

/// Largest difference of two answers, over the largest value of the first.
double shift(const Tensor& reference, const Tensor& other) {
  double difference = 0;
  double largest = 0;
  for (std::int64_t i = 0; i < reference.size(); ++i) {
    const double r = reference.as<float>()[i];
    difference = std::max(difference, std::abs(r - other.as<float>()[i]));
    largest = std::max(largest, std::abs(r));
  }
  return difference / largest;
}

struct Subject {
  const char* name;
  std::size_t mutants_per_kind;  // VGG19 is 575 MB to write for each
};

void PrintTo(const Subject& s, std::ostream* out) { *out << s.name; }

class ZooNetworks : public ::testing::TestWithParam<Subject> {
 protected:
  fs::path written() { return write_zoo_network({.name = GetParam().name, .logits = true}, folder_.path()); }

  static onnx::ModelProto parsed(const fs::path& path) {
    onnx::ModelProto model;
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(model.ParseFromIstream(&in));
    return model;
  }

  fs::path saved(const onnx::ModelProto& model) {
    const fs::path path = folder_.path() / "changed.onnx";
    std::ofstream out(path, std::ios::binary);
    EXPECT_TRUE(model.SerializeToOstream(&out));
    return path;
  }

  TemporaryFolder folder_;
};

TEST_P(ZooNetworks, TellInputsApart) {
  const std::vector<Tensor> y = answers(written(), noise(kInputs), 8);
  ASSERT_EQ(y.size(), 1U);
  ASSERT_EQ(y[0].shape(), (Shape{kInputs, 1000}));
  std::set<std::ptrdiff_t> classes;
  for (std::int64_t n = 0; n < kInputs; ++n) {
    const float* logits = y[0].as<float>() + n * 1000;
    double sum = 0;
    double squares = 0;
    for (int c = 0; c < 1000; ++c) {
      sum += logits[c];
      squares += static_cast<double>(logits[c]) * logits[c];
    }
    const double deviation = std::sqrt(squares / 1000 - sum * sum / 1e6);
    EXPECT_GT(deviation, 1);
    EXPECT_LT(deviation, 5);
    classes.insert(std::max_element(logits, logits + 1000) - logits);
  }
  EXPECT_GE(classes.size(), 32U);
  RecordProperty("classes", static_cast<int>(classes.size()));
}

TEST_P(ZooNetworks, ShowMistakesAnywhere) {
  const fs::path path = written();
  const Tensor x = noise(2);
  const std::vector<Tensor> reference = answers(path, x, 2);
  onnx::ModelProto model = parsed(path);
  double smallest = 1e9;
  int made = 0;
  const std::vector<Mutant> all = all_mutants(model.graph());
  // "1": every one; else those of layers with this in their name. Minutes a network: docs/figures.md has what it found.
  const char* wanted = std::getenv("ASSAY_ALL_MUTANTS");
  const bool every_one = wanted != nullptr;
  for (const Mutant& mutant : every_one ? all : choose(all, GetParam().mutants_per_kind)) {
    if (every_one && std::string(wanted) != "1" && mutant.where.find(wanted) == std::string::npos) continue;
    const Mutation mutation(*model.mutable_graph(), mutant);
    ASSERT_TRUE(mutation.made());
    const std::vector<Tensor> y = answers(saved(model), x, 2);
    const double moved = shift(reference[0], y[0]);
    EXPECT_GT(moved, 100 * kTolerance) << ::testing::PrintToString(mutant);
    if (every_one) std::printf("%.4f %s\n", moved, ::testing::PrintToString(mutant).c_str());
    smallest = std::min(smallest, moved);
    ++made;
  }
  RecordProperty("smallest_shift", std::to_string(smallest));
  if (every_one) std::printf("%s: %d mutants, the smallest shift %.3g\n", GetParam().name, made, smallest);
}

// Every node's output becomes an output of the graph.
TEST_P(ZooNetworks, ChangeInEveryLayerWithTheInput) {
  onnx::ModelProto model = parsed(written());
  model.mutable_graph()->clear_output();
  for (const auto& node : model.graph().node()) model.mutable_graph()->add_output()->set_name(node.output(0));
  const fs::path path = saved(model);
  const Tensor x = noise(2);
  Session session = load(path, {.backend = "onnxruntime", .batch_size = 2});
  const std::vector<Tensor> y = session.predict(x.view());
  ASSERT_EQ(y.size(), static_cast<std::size_t>(model.graph().node_size()));
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::int64_t half = y[i].size() / 2;
    const float* first = y[i].as<float>();
    double difference = 0;
    double power = 0;
    for (std::int64_t k = 0; k < half; ++k) {
      const double d = static_cast<double>(first[k]) - first[half + k];
      difference += d * d;
      power += static_cast<double>(first[k]) * first[k];
    }
    EXPECT_GT(std::sqrt(difference / power), kChange) << session.outputs()[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ZooNetworks,
                         ::testing::Values(Subject{"vgg19", 1}, Subject{"resnet50", 5}, Subject{"densenet201", 3},
                                           Subject{"efficientnetb0", 8}),
                         [](const auto& test) { return test.param.name; });

/// The paper's Table I, and the bytes of the file on every machine.
struct Known {
  const char* name;
  std::int64_t parameters, layers, parameters_per_layer;
  std::map<std::string, std::int64_t> jumps;
  const char* sha256;
};

TEST(ZooFiles, AreTheSameEverywhereAndThePapersNetworks) {
  const Known all[] = {
      {"vgg19", 143'667'240, 19, 7'561'434, {}, "47b4d905d1a218bd26d99d978216a7e9ea35de911b474a43a0db9fa4cf97268d"},
      {"resnet50",
       25'557'032,
       54,
       473'278,
       {{"Add", 16}},
       "42dcd90d6af94269becba5149f549814e7b14073c18326631931bc27d7c677cd"},
      {"densenet201",
       20'013'928,
       201,
       99'572,
       {{"Concat", 98}},
       "8d3969575d2cf176b5437b2aebdb7577aa19aa94d9049f06d7838acdc057dfbf"},
      {"efficientnetb0",
       5'288'548,
       82,
       64'494,
       {{"Add", 9}, {"Mul", 16}},
       "2da91f0720f4e993c3223f3fe0dfc1a959f6455b6f838dae547808fd7a45afe5"},
  };
  for (const Known& known : all) {
    SCOPED_TRACE(known.name);
    const TemporaryFolder folder;
    const fs::path file = write_zoo_network({.name = known.name}, folder.path());
    EXPECT_EQ(sha256_of_file(file), known.sha256);
    const Statistics s = read_model(file).statistics;
    EXPECT_EQ(s.parameters, known.parameters);
    EXPECT_EQ(s.layers, known.layers);
    EXPECT_EQ(std::llround(s.parameters_per_layer), known.parameters_per_layer);
    EXPECT_EQ(s.jumps_by_operator, known.jumps);
    std::int64_t jumps = 0;
    for (const auto& [name, count] : known.jumps) jumps += count;
    EXPECT_EQ(s.jumps, jumps);
  }
}

}  // namespace
}  // namespace assay::model
