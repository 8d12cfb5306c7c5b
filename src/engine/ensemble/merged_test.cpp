// Merged ensembles of the zoo's tiny networks: what the file holds, and over the null backend, how it is loaded. That
// its answers are the other strategies': tests/integration/merged_test.cpp.
#include "engine/ensemble/merged.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "assay/ensemble.hpp"
#include "engine/graph_cache.hpp"
#include "engine/testing/sessions.hpp"
#include "model/zoo.hpp"
#include "onnx_graph/graph.hpp"

namespace assay::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const TemporaryFolder& networks() {
  static const TemporaryFolder folder;
  return folder;
}

/// "name" or "name@seed".
std::filesystem::path network(const std::string& name) {
  const std::size_t at = name.find('@');
  model::ZooRequest request{.name = name.substr(0, at)};
  if (at != std::string::npos) request.seed = std::stoull(name.substr(at + 1));
  return model::write_zoo_network(request, networks().path());
}

/// A merged file, written and read again.
class MergedFile {
 public:
  MergedFile(const std::vector<std::string>& names, Combine combine, const std::vector<double>& weights = {}) {
    std::vector<model::Model> models;
    models.reserve(names.size());
    std::vector<MergedMember> members;
    std::vector<MemberTensors> tensors;
    for (std::size_t i = 0; i < names.size(); ++i) {
      models.push_back(model::read_model(network(names[i])));
      tensors.push_back({names[i] + std::to_string(i), 0, models[i].inputs, models[i].outputs});
      members.push_back({tensors.back(), weights.empty() ? 1 : weights[i], &models[i]});
    }
    bytes_ = merge_members(members, wire(tensors, combine), combine, {});
    graph = onnx_graph::parse(std::as_bytes(std::span(bytes_))).graph;
  }
  [[nodiscard]] std::size_t count(const std::string& op) const {
    return static_cast<std::size_t>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                                  [&](const onnx_graph::Node& n) { return n.op_type == op; }));
  }
  onnx_graph::Graph graph;

 private:
  std::string bytes_;
};

TEST(MergedFileTest, TheBatchIsOneAxisAndTheNamesAreTheEnsembles) {
  const MergedFile file({"tiny-resnet", "tiny-densenet"}, Combine::kMean);
  const model::Model first = model::read_model(network("tiny-resnet"));
  ASSERT_EQ(file.graph.inputs.size(), 1U);
  EXPECT_EQ(file.graph.inputs[0].name, first.inputs[0].name);
  EXPECT_EQ(to_string(*file.graph.inputs[0].type.shape), "batch x 3 x 32 x 32");
  ASSERT_EQ(file.graph.outputs.size(), 1U);
  EXPECT_EQ(file.graph.outputs[0].name, first.outputs[0].name);
  EXPECT_EQ((*file.graph.outputs[0].type.shape)[0].name, "batch");
}

TEST(MergedFileTest, WhatCombinesIsInIt) {
  struct Row {
    Combine combine;
    std::vector<double> weights;
    std::size_t sums, products, ballots, outputs;
  };
  const std::vector<Row> rows = {{Combine::kMean, {}, 1, 0, 0, 1},
                                 {Combine::kMean, {2, 1}, 0, 1, 0, 1},
                                 {Combine::kVote, {}, 1, 0, 2, 1},
                                 {Combine::kVote, {2, 1}, 0, 1, 2, 1},
                                 {Combine::kMembers, {}, 0, 0, 0, 2}};
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(to_string(row.combine)) + (row.weights.empty() ? "" : ", weighted"));
    const MergedFile file({"tiny-resnet", "tiny-densenet"}, row.combine, row.weights);
    EXPECT_EQ(file.count("Sum"), row.sums);
    EXPECT_EQ(file.count("MatMul"), row.products);
    EXPECT_EQ(file.count("ArgMax"), row.ballots);
    EXPECT_EQ(file.graph.outputs.size(), row.outputs);
  }
}

/// By what the members' answers are multiplied.
std::vector<float> column_of(const onnx_graph::Graph& graph) {
  const auto product = std::find_if(graph.nodes.rbegin(), graph.nodes.rend(),
                                    [](const onnx_graph::Node& n) { return n.op_type == "MatMul"; });
  if (product == graph.nodes.rend()) return {};
  const auto column = std::find_if(graph.initializers.begin(), graph.initializers.end(),
                                   [&](const onnx_graph::Tensor& t) { return t.name == product->inputs.at(1); });
  return column == graph.initializers.end() ? std::vector<float>() : column->floats();
}

/// The shares of a twelfth, five, one and four of them, are rounded in float32: 1 + 4 would be more than 5.
TEST(MergedFileTest, WeightsOfVotesAreAddedBeforeTheyAreDivided) {
  const MergedFile file({"tiny-resnet", "tiny-densenet", "tiny-vgg", "tiny-efficientnet"}, Combine::kVote,
                        {5, 1, 4, 2});
  EXPECT_THAT(column_of(file.graph), ElementsAre(5, 1, 4, 2));
}

TEST(MergedFileTest, OneNetworkTwiceIsOneBody) {
  const onnx_graph::Model alone = onnx_graph::read(network("tiny-resnet"));
  const MergedFile file({"tiny-resnet", "tiny-resnet"}, Combine::kMembers);
  EXPECT_EQ(file.count("Conv"), MergedFile({"tiny-resnet"}, Combine::kMembers).count("Conv"));
  EXPECT_LE(file.graph.nodes.size(), alone.graph.nodes.size() + 2);  // an Identity for each output
  EXPECT_LE(file.graph.initializers.size(), alone.graph.initializers.size());
}

TEST(MergedFileTest, TenMembersAreOneGraph) {
  const std::vector<std::string> all = {"tiny-resnet",   "tiny-densenet",   "tiny-vgg",   "tiny-efficientnet",
                                        "tiny-resnet@2", "tiny-densenet@2", "tiny-vgg@2", "tiny-efficientnet@2",
                                        "tiny-resnet@3", "tiny-densenet@3"};
  std::size_t alone = 0;
  for (const std::string& one : all) alone += MergedFile({one}, Combine::kMembers).count("Conv");
  const MergedFile file(all, Combine::kMean);
  EXPECT_EQ(file.count("Conv"), alone);
  EXPECT_EQ(file.graph.inputs.size(), 1U);
  EXPECT_EQ(file.graph.outputs.size(), 1U);
  const auto sum = std::find_if(file.graph.nodes.begin(), file.graph.nodes.end(),
                                [](const onnx_graph::Node& n) { return n.op_type == "Sum"; });
  ASSERT_NE(sum, file.graph.nodes.end());
  EXPECT_EQ(sum->inputs.size(), all.size());
}

class MergedSession : public testing::Test {
 protected:
  static Ensemble ensemble(std::vector<Member> members) {
    return {.members = std::move(members), .strategy = "merged"};
  }
  static Member member(const std::string& name) { return {.model = network(name)}; }
  static Params params(const std::filesystem::path& cache = {}) {
    return {.backend = "null", .batch_size = 4, .threads = 2, .cache = cache};
  }
  static Tensor images(std::int64_t count) { return test::random_tensor(DType::kFloat32, {count, 3, 32, 32}, 5); }
  /// Those that are in the cache, beside the null backend's own graphs.
  static std::vector<std::filesystem::path> merged_in(const std::filesystem::path& cache) {
    std::vector<std::filesystem::path> files;
    for (const CachedGraph& graph : list_graphs(cache)) {
      if (graph.parts.at("backend") == kMergedBackend) files.push_back(cache / "graphs" / graph.key / "merged.onnx");
    }
    return files;
  }
};

TEST_F(MergedSession, IsASessionOfOneModel) {
  Session session = assay::load(ensemble({member("tiny-resnet"), member("tiny-densenet")}), params());
  ASSERT_EQ(session.inputs().size(), 1U);
  ASSERT_EQ(session.outputs().size(), 1U);
  const Tensor x = images(11);
  EXPECT_EQ(session.predict(x.view()).at(0).shape().at(0), 11);
  EXPECT_EQ(test::error_of([&] { (void)session.report("members"); }).code(), ErrorCode::kUnsupported);
}

TEST_F(MergedSession, WhatItsEngineFailsAtHasAllNamesAndTheSessionGoesOn) {
  const Ensemble e = ensemble({member("tiny-resnet"), member("tiny-densenet")});
  constexpr const char* kNames = "members 'tiny-resnet', 'tiny-densenet' in one graph: ";
  Params p = params();
  p.options = {{"fail_at", "open"}, {"fail_as", "out_of_memory"}};
  const Error loading = test::error_of([&] { (void)assay::load(e, p); });
  EXPECT_EQ(loading.code(), ErrorCode::kOutOfMemory);
  EXPECT_THAT(loading.message(), testing::StartsWith(kNames));
  const Tensor x = images(11);
  // With a batch of any size the first slot is that of the first call.
  for (const auto& [when, batch] : {std::pair{"submit:2", 4}, {"run:3", 4}, {"slot", 0}}) {
    p.options["fail_at"] = when;
    p.batch_size = batch;
    Session session = assay::load(e, p);
    const Error error = test::error_of([&] { (void)session.predict(x.view()); });
    EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory) << when;
    EXPECT_THAT(error.message(), testing::StartsWith(kNames)) << when;
    EXPECT_EQ(session.predict(x.view()).at(0).shape().at(0), 11) << when;
  }
}

TEST_F(MergedSession, WhatTheEngineDoesNotHaveHasNoName) {
  const Ensemble e = ensemble({member("tiny-resnet"), member("tiny-densenet")});
  Params option = params(), value = params(), device = params();
  option.options = {{"no_such_option", "1"}};
  value.options = {{"open_ms", "-5"}};
  device.device = "gpu:7";
  for (const auto& [asked, names] : {std::pair{option, "no_such_option"}, {value, "open_ms"}, {device, "gpu:7"}}) {
    const Error error = test::error_of([&, &p = asked] { (void)assay::load(e, p); });
    EXPECT_THAT(std::string(error.what()), testing::AllOf(HasSubstr(names), testing::Not(HasSubstr("in one graph"))));
  }
}

TEST_F(MergedSession, WhatIsTheCallersHasNoName) {
  Session session = assay::load(ensemble({member("tiny-resnet"), member("tiny-densenet")}), params());
  const Error error = test::error_of([&] {
    (void)session.predict_stream(9,
                                 [](std::int64_t, std::int64_t, std::span<const MutableTensorView>) {
                                   throw Error(ErrorCode::kIo, "no such image");
                                 },
                                 {});
  });
  EXPECT_EQ(error.message(), "no such image");
}

TEST_F(MergedSession, MembersOwnOutputsAndInputsKeepTheirNames) {
  Ensemble e = ensemble({member("tiny-resnet"), member("tiny-densenet")});
  e.combine = Combine::kMembers;
  e.members[1].input_group = 1;
  const Session session = assay::load(e, params());
  ASSERT_EQ(session.inputs().size(), 2U);
  EXPECT_THAT(session.inputs()[1].name, HasSubstr("tiny-densenet."));
  ASSERT_EQ(session.outputs().size(), 2U);
  EXPECT_THAT(session.outputs()[0].name, HasSubstr("tiny-resnet."));
}

TEST_F(MergedSession, TheFileIsKeptInTheCacheAndUsedAgain) {
  const TemporaryFolder cache;
  Ensemble e = ensemble({member("tiny-resnet"), member("tiny-densenet")});
  (void)assay::load(e, params(cache.path()));
  ASSERT_EQ(merged_in(cache.path()).size(), 1U);
  const std::filesystem::path file = merged_in(cache.path()).front();
  const auto written = std::filesystem::last_write_time(file);
  {
    const Session session = assay::load(e, params(cache.path()));
    EXPECT_EQ(std::filesystem::last_write_time(file), written);
    (void)clear_graphs(cache.path());
    EXPECT_TRUE(std::filesystem::exists(file)) << "in use";
  }
  e.members[0].weight = 2;
  (void)assay::load(e, params(cache.path()));
  EXPECT_EQ(merged_in(cache.path()).size(), 2U);
}

/// In float32 0.6 and 0.1 are more than 0.7.
TEST_F(MergedSession, DecimalWeightsOfVotesAreWholePartsInTheFile) {
  const TemporaryFolder cache;
  Ensemble e = ensemble({member("tiny-resnet"), member("tiny-densenet"), member("tiny-vgg")});
  e.combine = Combine::kVote;
  for (std::size_t m = 0; m < 3; ++m) e.members[m].weight = std::vector{0.7, 0.6, 0.1}[m];
  (void)assay::load(e, params(cache.path()));
  ASSERT_EQ(merged_in(cache.path()).size(), 1U);
  EXPECT_THAT(column_of(onnx_graph::read(merged_in(cache.path()).front()).graph), ElementsAre(7, 6, 1));
}

TEST_F(MergedSession, ADamagedFileIsMadeAnew) {
  const TemporaryFolder cache;
  const Ensemble e = ensemble({member("tiny-resnet"), member("tiny-densenet")});
  (void)assay::load(e, params(cache.path()));
  const std::filesystem::path file = merged_in(cache.path()).at(0);
  const auto size = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, size / 2);
  ASSERT_EQ(verify_graphs(cache.path()).size(), 1U);
  EXPECT_TRUE(merged_in(cache.path()).empty());
  (void)assay::load(e, params(cache.path()));
  std::filesystem::resize_file(file, size / 2);
  Params p = params(cache.path());
  std::vector<std::string> said;
  p.log = [&](LogLevel level, const std::string& message) {
    if (level == LogLevel::kWarning) said.push_back(message);
  };
  (void)assay::load(e, p);
  EXPECT_THAT(said, ElementsAre(HasSubstr("is of no use")));
  EXPECT_EQ(std::filesystem::file_size(file), size);
}

TEST_F(MergedSession, FilesAndGraphsTogetherAreBounded) {
  const TemporaryFolder cache;
  Ensemble e = ensemble({member("tiny-resnet"), member("tiny-densenet")});
  (void)assay::load(e, params(cache.path()));
  const std::filesystem::path first = merged_in(cache.path()).at(0);
  std::uint64_t bytes = 0;
  for (const CachedGraph& graph : list_graphs(cache.path())) {
    bytes += graph.bytes;
    const auto manifest = cache.path() / "graphs" / graph.key / kManifestName;
    std::filesystem::last_write_time(manifest, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }
  const ScopedVariable limit("ASSAY_CACHE_LIMIT", std::to_string(bytes + bytes / 2));
  e.members[0].weight = 2;
  (void)assay::load(e, params(cache.path()));
  EXPECT_FALSE(std::filesystem::exists(first));  // used longest ago
  EXPECT_EQ(merged_in(cache.path()).size(), 1U);
}

TEST_F(MergedSession, MoreThanTheCacheMayHoldIsLoadedWithoutIt) {
  const TemporaryFolder cache;
  const ScopedVariable limit("ASSAY_CACHE_LIMIT", "1KiB");
  Params p = params(cache.path());
  std::vector<std::string> said;
  p.log = [&](LogLevel, const std::string& message) { said.push_back(message); };
  (void)assay::load(ensemble({member("tiny-resnet"), member("tiny-densenet")}), p);
  EXPECT_THAT(said, testing::Contains(HasSubstr("ASSAY_CACHE_LIMIT")));
  EXPECT_TRUE(merged_in(cache.path()).empty());
}

TEST_F(MergedSession, ACacheThatCannotBeWrittenCostsAWarning) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "graphs") << "a file where the folder should be";
  Params p = params(folder.path());
  std::vector<std::string> said;
  p.log = [&](LogLevel, const std::string& message) { said.push_back(message); };
  (void)assay::load(ensemble({member("tiny-resnet"), member("tiny-densenet")}), p);
  EXPECT_THAT(said, testing::Contains(HasSubstr("cannot be written")));
}

TEST_F(MergedSession, RefusesWhatOneEngineCannotDo) {
  using Change = void (*)(Member&);
  const std::vector<std::pair<Change, const char*>> rows = {
      {[](Member& m) { m.backend = "openvino"; }, "backend openvino"},
      {[](Member& m) { m.threads = 1; }, "1 threads"},
      {[](Member& m) { m.batch_size = 2; }, "a batch of 2"},
      {[](Member& m) { m.options = {{"values_seed", "3"}}; }, "options"}};
  for (const auto& [change, what] : rows) {
    Ensemble e = ensemble({member("tiny-resnet"), member("tiny-densenet")});
    change(e.members[1]);
    const Error error = test::error_of([&] { (void)assay::load(e, params()); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("member 'tiny-densenet'"), HasSubstr(what)));
  }
  Ensemble same = ensemble({member("tiny-resnet"), member("tiny-densenet")});
  same.members[1].backend = "null";
  same.members[1].threads = 2;
  EXPECT_NO_THROW((void)assay::load(same, params()));
}

}  // namespace
}  // namespace assay::engine
