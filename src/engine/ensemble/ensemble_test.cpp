// Ensembles of the zoo's tiny networks over the null backend: what they answer, share, refuse and survive.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "assay/ensemble.hpp"
#include "engine/testing/sessions.hpp"
#include "model/zoo.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay {
namespace {

using testing::HasSubstr;

class EnsembleTest : public testing::TestWithParam<std::string> {
 protected:
  static std::filesystem::path zoo(const std::string& name) {
    static const TemporaryFolder folder;
    return model::write_zoo_network({.name = name}, folder.path());
  }
  /// The null backend answers other values for each seed.
  static Member member(const std::string& name, const char* seed, std::map<std::string, std::string> more = {}) {
    more["values_seed"] = seed;
    return {.model = zoo("tiny-resnet"), .name = name, .options = std::move(more)};
  }
  static Params params(std::int64_t batch = 4) { return {.backend = "null", .batch_size = batch, .threads = 2}; }
  static Tensor alone(const Member& m, const Tensor& x) {
    Params p = params();
    p.options = m.options;
    return std::move(load(m.model, p).predict(x.view()).at(0));
  }
  static Tensor images(std::int64_t count) { return test::random_tensor(DType::kFloat32, {count, 3, 32, 32}, 5); }
};

TEST_P(EnsembleTest, AnswersTheWeightedMeanOfItsMembers) {
  Ensemble e{.members = {member("a", "1"), member("b", "2"), member("c", "3")}, .strategy = GetParam()};
  e.members[0].weight = 2;
  Session session = load(e, params());
  const Tensor x = images(11);  // batches of 4, 4 and 3
  const Tensor y = std::move(session.predict(x.view()).at(0));
  const Tensor a = alone(e.members[0], x), b = alone(e.members[1], x), c = alone(e.members[2], x);
  ASSERT_EQ(y.shape(), a.shape());
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const double mean = (2.0 * a.as<float>()[i] + b.as<float>()[i] + c.as<float>()[i]) / 4;
    ASSERT_FLOAT_EQ(y.as<float>()[i], static_cast<float>(mean)) << i;
  }
}

TEST_P(EnsembleTest, TenMembersOfVeryDifferentCost) {
  Ensemble e{.members = {}, .strategy = GetParam()};
  std::vector<double> sum;
  const Tensor x = images(7);
  for (int m = 0; m < 10; ++m) {
    e.members.push_back(member(
        "m" + std::to_string(m), std::to_string(m).c_str(),
        m == 3 ? std::map<std::string, std::string>{{"compute_ms", "20"}} : std::map<std::string, std::string>{}));
    const Tensor one = alone(e.members.back(), x);
    sum.resize(static_cast<std::size_t>(one.size()));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += one.as<float>()[i];
  }
  Session session = load(e, params(3));
  const Tensor y = std::move(session.predict(x.view()).at(0));
  for (std::size_t i = 0; i < sum.size(); ++i) ASSERT_FLOAT_EQ(y.as<float>()[i], static_cast<float>(sum[i] / 10)) << i;
}

TEST_P(EnsembleTest, MembersOwnBatchSizesDoNotChangeTheAnswer) {
  const Tensor x = images(21);  // batches of 8, 8 and 5
  const auto answer = [&](std::vector<std::int64_t> batches, const std::string& policy) {
    Ensemble e{.members = {}, .strategy = GetParam()};
    for (std::size_t m = 0; m < batches.size(); ++m) {
      const std::string seed = std::to_string(m);
      e.members.push_back(member("m" + seed, seed.c_str(), {{"short_batch", policy}}));
      e.members.back().batch_size = batches[m];
    }
    return std::move(load(e, params(8)).predict(x.view()).at(0));
  };
  const Tensor expected = answer({0, 0, 0}, "reshape");
  for (const char* policy : {"reshape", "pad"}) {
    for (const std::vector<std::int64_t>& batches :
         std::vector<std::vector<std::int64_t>>{{0, 1, 0}, {1, 1, 1}, {3, 8, 1}, {4, 5, 7}, {16, 0, 3}}) {
      EXPECT_TRUE(test::same(answer(batches, policy), expected)) << policy << testing::PrintToString(batches);
    }
  }
}

TEST_P(EnsembleTest, TakesInputsOfWhateverSizeAtTheModelsBatch) {
  const TemporaryFolder folder;
  onnx_graph::TestModel pool;
  pool.input("x", {-1, 3, -1, -1}).node("GlobalAveragePool", {"x"}, {"y"}).output("y", {-1, 3, 1, 1});
  auto* shape = pool.proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape->mutable_dim(2)->set_dim_param("height");
  shape->mutable_dim(3)->set_dim_param("width");
  write_file_atomically(folder.path() / "pool.onnx", pool.bytes());
  Ensemble e{.members = {member("a", "1"), member("b", "2")}, .strategy = GetParam()};
  for (Member& m : e.members) m.model = folder.path() / "pool.onnx";
  Params p = params(0);
  Session session = load(e, p);
  std::vector<Session> each;
  for (const Member& m : e.members) {
    p.options = m.options;
    each.push_back(load(m.model, p));
  }
  for (const Shape& size : {Shape{2, 3, 5, 7}, Shape{1, 3, 4, 4}}) {
    const Tensor x = test::random_tensor(DType::kFloat32, size, 5);
    const Tensor y = std::move(session.predict(x.view()).at(0));
    ASSERT_EQ(y.shape(), (Shape{size[0], 3, 1, 1}));
    const Tensor a = std::move(each[0].predict(x.view()).at(0)), b = std::move(each[1].predict(x.view()).at(0));
    for (std::int64_t i = 0; i < y.size(); ++i) {
      ASSERT_FLOAT_EQ(y.as<float>()[i], (a.as<float>()[i] + b.as<float>()[i]) / 2) << i;
    }
  }
}

TEST_P(EnsembleTest, AFailureCarriesTheMembersNameAndTheSessionGoesOn) {
  const Ensemble e{
      .members = {member("good", "1"), member("bad", "2", {{"fail_at", "submit:3"}, {"fail_as", "out_of_memory"}})},
      .strategy = GetParam()};
  Session session = load(e, params(1));
  const Tensor x = images(8);
  const Error error = test::error_of([&] { (void)session.predict(x.view()); });
  EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
  EXPECT_THAT(error.what(), HasSubstr("member 'bad'"));
  EXPECT_EQ(session.predict(x.view()).at(0).shape()[0], 8);
}

TEST_P(EnsembleTest, SeveralCallersAtOnce) {
  Session session = load(
      Ensemble{.members = {member("a", "1"), member("b", "2"), member("c", "3")}, .strategy = GetParam()}, params(2));
  const Tensor x = images(9);
  const Tensor expected = std::move(session.predict(x.view()).at(0));
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int k = 0; k < 10; ++k) wrong += test::same(session.predict(x.view()).at(0), expected) ? 0 : 1;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST_P(EnsembleTest, AsynchronousCallsAndASessionThatGoesFirst) {
  const std::map<std::string, std::string> slow = {{"compute_ms", "5"}};
  const Ensemble e{.members = {member("a", "1", slow), member("b", "2", slow)}, .strategy = GetParam()};
  const Tensor x = images(7);
  std::vector<std::future<std::vector<Tensor>>> answers;
  Tensor expected;
  {
    Session session = load(e, params(2));
    expected = std::move(session.predict(x.view()).at(0));
    for (int i = 0; i < 3; ++i) answers.push_back(session.predict_async({x.view()}));
  }
  for (auto& answer : answers) EXPECT_TRUE(test::same(answer.get().at(0), expected));
}

/// Those that run members; of "merged": merged_test.cpp.
std::vector<std::string> executed() {
  std::vector<std::string> names = strategy_names();
  EXPECT_EQ(names.back(), "merged");
  names.pop_back();
  return names;
}

INSTANTIATE_TEST_SUITE_P(Engine, EnsembleTest, testing::ValuesIn(executed()),
                         [](const auto& row) { return row.param; });

using EnsembleOnce = EnsembleTest;

TEST_F(EnsembleOnce, SaysWhatItIs) {
  Session session = load({zoo("tiny-resnet"), zoo("tiny-densenet"), zoo("tiny-resnet")}, params());
  const auto in_force = session.in_force();
  EXPECT_EQ(in_force.at("members"), "tiny-resnet+tiny-densenet+tiny-resnet#2");
  EXPECT_EQ(in_force.at("strategy"), "pipelined");
  EXPECT_EQ(in_force.at("lanes"), "2");
  EXPECT_EQ(in_force.at("device"), "cpu");
  ASSERT_EQ(session.inputs().size(), 1U);
  const auto x = images(4);
  (void)session.predict(x.view());
  const auto members = nlohmann::json::parse(session.report("members"));
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[1]["name"], "tiny-densenet");
  EXPECT_EQ(members[1]["batches"], 1);
  EXPECT_EQ(nlohmann::json::parse(session.report("plan"))["lanes"].size(), 2U);
}

TEST_F(EnsembleOnce, LeavesMembersTheirOwn) {
  const Ensemble e{.members = {member("a", "1"), member("b", "2")}, .combine = Combine::kMembers};
  Session session = load(e, params());
  ASSERT_EQ(session.outputs().size(), 2U);
  EXPECT_THAT(session.outputs()[1].name, HasSubstr("b."));
  const Tensor x = images(6);
  const auto y = session.predict(x.view());
  EXPECT_TRUE(test::same(y[0], alone(e.members[0], x)));
  EXPECT_TRUE(test::same(y[1], alone(e.members[1], x)));
}

TEST_F(EnsembleOnce, AnOutputWhoseShapeOnlyARunTellsIsLeftToOneGraph) {
  const std::filesystem::path found = zoo("tiny-dynamic-output");
  Ensemble e{.members = {{.model = found, .name = "a"}, {.model = found, .name = "b"}}, .combine = Combine::kMembers};
  for (const std::string& strategy : executed()) {
    e.strategy = strategy;
    const Error error = test::error_of([&] { (void)load(e, params(1)); });
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << strategy;
    EXPECT_THAT(error.what(), HasSubstr("output 'a.indices' has the shape ?x2")) << strategy;
  }
  e.strategy = "merged";
  EXPECT_EQ(load(e, params(1)).outputs().size(), 2U);
}

/// The network, its batch axes called otherwise, by a name as long as "batch".
Member renamed(const std::filesystem::path& model, const std::filesystem::path& to, const std::string& axis) {
  const std::string before(
      "\x12\x05"
      "batch");  // dim_param, 5 characters
  std::string bytes = read_file(model);
  for (std::size_t at = bytes.find(before); at != std::string::npos; at = bytes.find(before, at)) {
    bytes.replace(at + 2, axis.size(), axis);
  }
  write_file_atomically(to, bytes);
  return {.model = to};
}

TEST_F(EnsembleOnce, MembersMayNameTheirBatchesAsTheyLike) {
  const TemporaryFolder folder;
  const Tensor x = images(6);
  const std::vector<Member> members = {{.model = zoo("tiny-resnet")},
                                       renamed(zoo("tiny-densenet"), folder.path() / "b.onnx", "count")};
  for (const Combine combine : {Combine::kMean, Combine::kVote, Combine::kMembers}) {
    for (const auto& order : std::vector<std::vector<Member>>{members, {members[1], members[0]}}) {
      SCOPED_TRACE(to_string(combine));
      Session session = load(Ensemble{.members = order, .combine = combine}, params());
      const auto y = session.predict(x.view());
      for (std::size_t o = 0; o < y.size(); ++o) {
        EXPECT_EQ(session.outputs()[o].batch_axis, 0);
        EXPECT_EQ(y[o].shape().at(0), 6);
        EXPECT_TRUE(combine != Combine::kMembers || test::same(y[o], alone(order[o], x)));
      }
    }
  }
}

TEST_F(EnsembleOnce, ALibraryIsOfTheBackendThatItIsGivenFor) {
  Ensemble e{.members = {member("a", "1"), member("b", "2")}};
  Params p = params();
  p.library = "no/such/library.so";
  EXPECT_THAT(test::error_of([&] { (void)load(e, p); }).what(), HasSubstr("no/such/library.so was named"));
  p.backend = "onnxruntime";  // of no member
  for (Member& m : e.members) m.backend = "null";
  EXPECT_EQ(load(e, p).predict(images(4).view()).at(0).shape()[0], 4);
  p.libraries = {{"onnxruntime", "not/asked/for.so"}};
  EXPECT_EQ(load(e, p).predict(images(4).view()).at(0).shape()[0], 4);
  p.libraries["null"] = "no/such/other.so";
  EXPECT_THAT(test::error_of([&] { (void)load(e, p); }).what(), HasSubstr("no/such/other.so was named"));
  p.backend = "null";
  EXPECT_THAT(test::error_of([&] { (void)load(e, p); }).what(), HasSubstr("no/such/library.so was named"));
}

/// A model as the spy pretends, and the way to the spy, which sees what runs at once in one session.
class SpiedEnsemble : public testing::Test {
 protected:
  SpiedEnsemble() {
    onnx_graph::TestModel spied;
    spied.input("x", {-1, 4}).weights("w", {4, 6}).node("MatMul", {"x", "w"}, {"m"});
    spied.node("Cast", {"m"}, {"y"}, {{"to", std::int64_t{onnx::TensorProto::INT64}}});
    spied.output("y", {-1, 6}, onnx::TensorProto::INT64);
    write_file_atomically(model_, spied.bytes());
  }
  TemporaryFolder folder_;
  std::filesystem::path model_ = folder_.path() / "spied.onnx";
  ScopedVariable plugins_{"ASSAY_BACKEND_PATH", std::string(ASSAY_BUILD_DIR) + "/tests/plugins"};
};

TEST_F(SpiedEnsemble, TheSameModelTwiceIsOneSessionThatComputesBothAtOnce) {
  const Tensor x = test::random_tensor(DType::kFloat32, {40, 4}, 3);
  for (const char* strategy : {"sequential", "concurrent", "pipelined"}) {
    Ensemble e{.members = {}, .combine = Combine::kMembers, .strategy = strategy};
    for (int m = 0; m < 2; ++m) e.members.push_back({.model = model_});
    Session session = load(e, {.backend = "spy", .batch_size = 2, .threads = 2, .options = {{"delay_us", "5000"}}});
    std::int64_t most = 0;
    for (const Tensor& y : session.predict(x.view())) {
      for (std::int64_t i = 0; i < x.shape()[0]; ++i) most = std::max(most, y.as<std::int64_t>()[6 * i + 4]);
    }
    EXPECT_EQ(most, strategy == std::string("sequential") ? 1 : 2) << strategy;
  }
}

TEST_F(EnsembleOnce, RefusesWhatMeansNothing) {
  const auto refusal = [&](const Ensemble& e, const Params& p) {
    return std::string(test::error_of([&] { (void)load(e, p); }).what());
  };
  EXPECT_THAT(refusal({.members = {}}, params()), HasSubstr("without members"));
  Ensemble e{.members = {member("a", "1"), member("b", "2")}};
  e.strategy = "fastest";
  EXPECT_THAT(refusal(e, params()), HasSubstr("sequential, concurrent, pipelined"));
  e.strategy = "sequential";
  for (const double weight : {0.0, -1.0, 1e-7, 1e-320, 1.1e6, 1e308, std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()}) {
    e.members[1].weight = weight;
    EXPECT_THAT(refusal(e, params()), testing::AllOf(HasSubstr("a weight of"), HasSubstr("leave the member out")));
  }
  e.members[1].weight = 1;
  e.members[1].threads = -1;
  EXPECT_THAT(refusal(e, params()), HasSubstr("-1 threads"));
  e.members[1].threads = 0;
  e.members[1].batch_size = -2;
  EXPECT_THAT(refusal(e, params()), HasSubstr("a batch size of -2"));
  e.members[1].batch_size = 0;
  e.members[1].model = "no/such/file.onnx";
  EXPECT_THAT(refusal(e, params()), HasSubstr("member 'b'"));
  e.members[1] = member("b", "2", {{"fail_at", "open"}});
  EXPECT_THAT(refusal(e, params()), HasSubstr("member 'b'"));
}

TEST_F(SpiedEnsemble, InAStreamABatchBeginsBeforeTheOneBeforeItHasEnded) {
  // Batches of "a" end two at once: the first of two waits until the second has begun, and is a failure where that does
  // not come. "b" is another session, and waits for nobody.
  const Ensemble e{
      .members = {{.model = model_, .name = "a", .options = {{"meet_batches", "2"}}}, {.model = model_, .name = "b"}},
      .combine = Combine::kMembers};
  Session session = load(e, {.backend = "spy", .batch_size = 2, .threads = 2});
  std::int64_t drained = 0;
  session.predict_stream(
      11,  // six batches, the last of them short
      [](std::int64_t, std::int64_t count, std::span<const MutableTensorView> inputs) {
        ASSERT_EQ(inputs.size(), 1U);
        ASSERT_EQ(inputs[0].shape[0], count);
        std::fill_n(static_cast<float*>(inputs[0].data), element_count(inputs[0].shape), 1.0F);
      },
      [&](std::int64_t first, std::int64_t count, std::span<const TensorView>) {
        EXPECT_EQ(first, drained) << "in the order of the samples";
        drained += count;
      });
  EXPECT_EQ(drained, 11);
}

}  // namespace
}  // namespace assay
