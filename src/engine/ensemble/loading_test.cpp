// How an ensemble's members are loaded: what is asked of their sessions, when, and what is said of one that fails. The
// spy reads back what it was asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "engine/ensemble/load.hpp"
#include "engine/ensemble/member_error.hpp"
#include "engine/testing/loading.hpp"
#include "support/resident.hpp"

namespace assay::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Of all lanes together, by what the members' sessions were asked for.
double threads_at_once(const nlohmann::json& plan, const std::map<std::string, std::string>& in_force) {
  double sum = 0;
  for (const nlohmann::json& lane : plan.at("lanes")) {
    double most = 0;
    for (const nlohmann::json& member : lane) {
      const auto name = member.get<std::string>();
      most = std::max(most, std::stod(in_force.at(name + ".threads")) / std::stod(in_force.at(name + ".in_flight")));
    }
    sum += most;
  }
  return sum;
}

TEST_F(LoadingTest, WhateverTheStrategyThereIsOneBudgetOfThreads) {
  for (const char* strategy : {"sequential", "concurrent", "pipelined"}) {
    for (const int threads : {1, 2, 3, 4}) {
      for (const int members : {1, 2, 3}) {
        for (const bool alike : {false, true}) {
          SCOPED_TRACE(std::string(strategy) + ", " + std::to_string(members) + " members on " +
                       std::to_string(threads) + (alike ? ", alike" : ""));
          Session session = assay::load(spied(strategy, members, alike), {.backend = "spy", .threads = threads});
          const auto plan = nlohmann::json::parse(session.report("plan"));
          const auto in_force = session.in_force();
          EXPECT_DOUBLE_EQ(threads_at_once(plan, in_force), threads);
          for (const nlohmann::json& m : plan.at("members")) {
            const auto name = m.at("name").get<std::string>();
            EXPECT_EQ(std::to_string(m.at("threads").get<int>()), in_force.at(name + ".threads"));
            EXPECT_EQ(std::to_string(m.at("streams").get<int>()), in_force.at(name + ".in_flight"));
          }
          const bool side_by_side = members > 1 && plan.at("lanes").size() > 1;
          const char* on_one_lane = members > 1 && !alike ? "in turn" : "own";
          EXPECT_EQ(in_force.at("a.cores"), side_by_side ? "shared" : on_one_lane);
        }
      }
    }
  }
}

TEST_F(LoadingTest, OneFileIsOneSessionHoweverItsFolderIsWritten) {
  namespace fs = std::filesystem;
  fs::create_directory(folder_.path() / "other");
  fs::create_directory_symlink(folder_.path(), folder_.path() / "same");
  fs::create_symlink(folder_.path() / "spied.onnx", folder_.path() / "other" / "spied.onnx");
  const std::vector<std::pair<const char*, const char*>> rows = {
      {"./spied.onnx", "own"},
      {"other/../spied.onnx", "own"},
      {"same/spied.onnx", "own"},
      {"other/spied.onnx", "in turn"}};  // external data would be the other folder's
  for (const auto& [path, cores] : rows) {
    Ensemble e = spied("sequential", 2, true);
    e.members[1].model = folder_.path() / path;
    EXPECT_EQ(assay::load(e, {.backend = "spy", .threads = 2}).in_force().at("a.cores"), cores) << path;
  }
}

/// Where the spy met sample `i` of its input.
const void* met_at(const std::int64_t* answer, std::int64_t i) {
  return reinterpret_cast<const void*>(static_cast<std::intptr_t>(answer[6 * i]));
}

TEST_F(LoadingTest, AllMembersComputeOnTheSameMemory) {
  const Tensor x = test::random_tensor(DType::kFloat32, {6, 4}, 3);
  for (const char* strategy : {"sequential", "concurrent", "pipelined"}) {
    SCOPED_TRACE(strategy);
    Session session = assay::load(spied(strategy, 3), {.backend = "spy", .batch_size = 2, .threads = 2});
    ASSERT_EQ(session.inputs().size(), 1U);
    const std::vector<Tensor> y = session.predict(x.view());
    ASSERT_EQ(y.size(), 3U);
    for (const Tensor& of_member : y) {  // where it lies: nothing was moved
      for (std::int64_t i = 0; i < 6; ++i) EXPECT_EQ(met_at(of_member.as<std::int64_t>(), i), x.as<float>() + 4 * i);
    }
    std::int64_t drained = 0;
    session.predict_stream(
        6,
        [](std::int64_t, std::int64_t, std::span<const MutableTensorView> inputs) {
          ASSERT_EQ(inputs.size(), 1U);
          std::fill_n(static_cast<float*>(inputs[0].data), element_count(inputs[0].shape), 1.0F);
        },
        [&](std::int64_t, std::int64_t count, std::span<const TensorView> outputs) {
          drained += count;
          const auto* first = static_cast<const std::int64_t*>(outputs[0].data);
          for (const TensorView& of_member : outputs) {  // what was filled was filled once
            for (std::int64_t i = 0; i < count; ++i) {
              EXPECT_EQ(met_at(static_cast<const std::int64_t*>(of_member.data), i), met_at(first, i));
            }
          }
        });
    EXPECT_EQ(drained, 6);
  }
}

TEST_F(LoadingTest, AMemberWithInputsOfItsOwnComputesOnThese) {
  Ensemble e = spied("pipelined", 3);
  e.members[1].input_group = 1;
  Session session = assay::load(e, {.backend = "spy", .batch_size = 2, .threads = 2});
  const Tensor first = test::random_tensor(DType::kFloat32, {2, 4}, 3);
  const Tensor second = test::random_tensor(DType::kFloat32, {2, 4}, 4);
  const std::vector<TensorView> x = {first.view(), second.view()};
  ASSERT_EQ(session.inputs().size(), x.size());
  const std::vector<Tensor> y = session.predict(x);
  EXPECT_EQ(met_at(y.at(0).as<std::int64_t>(), 0), first.data());
  EXPECT_EQ(met_at(y.at(1).as<std::int64_t>(), 0), second.data());
  EXPECT_EQ(met_at(y.at(2).as<std::int64_t>(), 0), first.data());
}

TEST_F(LoadingTest, ThreadsOfMembersOwnKeepTheBudget) {
  Ensemble e{.members = {member("a", "free.onnx"), member("b", "free.onnx")}, .strategy = "concurrent"};
  e.members[0].threads = 3;
  const auto in_force = assay::load(e, {.backend = "null", .threads = 5}).in_force();
  EXPECT_EQ(in_force.at("a.threads"), "3");
  const Error error = test::error_of([&] { (void)assay::load(e, {.backend = "null", .threads = 3}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("compute on 4 at once, of 3 that the ensemble has"));
  e.strategy = "sequential";
  EXPECT_EQ(assay::load(e, {.backend = "null", .threads = 3}).in_force().at("a.threads"), "3");
}

TEST_F(LoadingTest, AMemberComputesNoMoreBatchesAtOnceThanItHasThreadsOfItsOwn) {
  Ensemble e = spied("pipelined", 3);
  e.members[0].threads = 1;
  e.members[1].threads = 3;
  Session session = assay::load(e, {.backend = "spy", .batch_size = 1, .threads = 4});
  const auto in_force = session.in_force();
  for (const auto& [name, number] : Options{{"a", "1"}, {"b", "3"}, {"c", "4"}}) {
    EXPECT_EQ(in_force.at(name + ".threads"), number) << name;
    EXPECT_EQ(in_force.at(name + ".in_flight"), number) << name;
  }
  const Tensor x = test::random_tensor(DType::kFloat32, {9, 4}, 3);
  for (const Tensor& y : session.predict(x.view())) EXPECT_EQ(y.shape(), (Shape{9, 6}));
}

TEST_F(LoadingTest, AMemberComputesOnItsOwnDeviceBesideTheCpusThreads) {
  Ensemble e{.members = {member("a", "free.onnx"), member("b", "free.onnx"), member("c", "free.onnx")},
             .strategy = "concurrent"};
  e.members[1].device = "gpu";
  e.members[2].device = "cpu";
  Session session = assay::load(e, {.backend = "null", .batch_size = 1, .threads = 2});
  const auto in_force = session.in_force();
  EXPECT_EQ(in_force.at("a.device"), "cpu");
  EXPECT_EQ(in_force.at("b.device"), "gpu:0");
  EXPECT_EQ(in_force.count("device"), 0U) << "they differ";
  // a and c are one session, with a lane and a thread each, in the order of what they were measured to cost; b's lane
  // is beyond these.
  const nlohmann::json lanes = nlohmann::json::parse(session.report("plan"))["lanes"];
  const auto lane = [](const char* name) { return nlohmann::json::array({name}); };
  ASSERT_EQ(lanes.size(), 3U);
  EXPECT_EQ((std::set{lanes[0], lanes[1]}), (std::set{lane("a"), lane("c")}));
  EXPECT_EQ(lanes[2], lane("b"));
  EXPECT_EQ(in_force.at("a.threads"), "2");
  EXPECT_EQ(in_force.at("b.threads"), "1");
  const Tensor x = test::random_tensor(DType::kFloat32, {5, 4}, 3);
  EXPECT_EQ(session.predict(x.view()).at(0).shape(), (Shape{5, 6}));
}

TEST_F(LoadingTest, TheEnsemblesDeviceIsThatOfMembersWithoutTheirOwn) {
  Ensemble e{.members = {member("a", "free.onnx"), member("b", "free.onnx")}};
  e.members[1].device = "cpu";
  const auto in_force = assay::load(e, {.backend = "null", .gpuid = 0, .batch_size = 1, .threads = 1}).in_force();
  EXPECT_EQ(in_force.at("a.device"), "gpu:0");
  EXPECT_EQ(in_force.at("b.device"), "cpu");
}

TEST_F(LoadingTest, ADeviceThatIsNotThereIsTheMembersErrorAndSaysWhichAre) {
  Ensemble e{.members = {member("a", "free.onnx"), member("b", "free.onnx")}};
  e.members[1].device = "gpu:7";
  const Error error = test::error_of([&] { (void)assay::load(e, {.backend = "null", .threads = 1}); });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(std::string(error.what()), AllOf(HasSubstr("member 'b'"), HasSubstr("'gpu:7'"), HasSubstr("cpu, gpu:0")));
}

TEST_F(LoadingTest, OneGraphIsOnOneDevice) {
  Ensemble e{.members = {member("a", "free.onnx"), member("b", "free.onnx")}, .strategy = "merged"};
  e.members[0].device = "cpu";  // as the ensemble's
  e.members[1].device = "gpu:0";
  const Error error = test::error_of([&] { (void)assay::load(e, {.backend = "null", .threads = 1}); });
  EXPECT_THAT(std::string(error.what()), AllOf(HasSubstr("device gpu:0 of its own"), HasSubstr("member 'b'")));
}

TEST_F(LoadingTest, MembersAreOpenedSideBySide) {
  // Each waits for all, and gives up where the others do not come.
  const Ensemble e = spied("pipelined", 3, false, {{"meet", "3"}});
  const Params params{.backend = "spy", .threads = 2, .cache = folder_.path() / "cache"};
  for (const bool cached : {false, true}) {
    const Session session = assay::load(e, params);
    EXPECT_EQ(session.outputs().size(), 3U);
    EXPECT_EQ(session.from_cache(), cached) << session.cache_remark();
  }
}

#ifdef ASSAY_GLIBC_HEAP
TEST_F(LoadingTest, WhatLoadingFreedIsGivenBack) {
  const Ensemble e = spied("pipelined", 2, false, {{"scratch_mb", "64"}});
  const std::size_t before = test::resident_bytes();
  const Session session = assay::load(e, {.backend = "spy", .threads = 2});
  EXPECT_LT(test::resident_bytes(), before + (std::size_t{32} << 20U));
}
#endif

TEST_F(LoadingTest, DecimalWeightsAreWholeParts) {
  Ensemble e{.members = {member("a", "free.onnx"), member("b", "free.onnx")}};
  e.members[0].weight = 0.7;
  e.members[1].weight = 0.1;
  const auto plan = nlohmann::json::parse(assay::load(e, {.backend = "null", .threads = 1}).report("plan"));
  EXPECT_EQ(plan["members"][0]["weight"], 7);
  EXPECT_EQ(plan["members"][1]["weight"], 1);
}

TEST_F(LoadingTest, WhateverAMemberThrowsItIsNamed) {
  Ensemble e{.members = {member("good", "free.onnx"), member("bad", "fixed.onnx")}, .combine = Combine::kMembers};
  Params p{.backend = "null", .batch_size = 1, .threads = 2, .batch_axis = {{"bad.x", 0}}};
  // Told of the second one alone: that its batch is fixed.
  p.log = [](LogLevel /*level*/, const std::string& /*message*/) { throw std::runtime_error("a listener's own"); };
  const Error own = test::error_of([&] { (void)assay::load(e, p); });
  EXPECT_EQ(own.code(), ErrorCode::kInternal);
  EXPECT_THAT(own.what(), HasSubstr("member 'bad': a listener's own"));
  p.log = [](LogLevel /*level*/, const std::string& /*message*/) { throw std::bad_alloc(); };
  const Error memory = test::error_of([&] { (void)assay::load(e, p); });
  EXPECT_EQ(memory.code(), ErrorCode::kOutOfMemory);
  EXPECT_THAT(memory.what(), HasSubstr("member 'bad': out of memory"));
}

TEST_F(LoadingTest, WhatDoesNotFitTogetherIsRefusedBeforeAnythingIsLoaded) {
  Ensemble e{.members = {member("a", "free.onnx", {{"fail_at", "open"}}), member("b", "spied.onnx")}};
  const auto error = [&] {
    return std::string(test::error_of([&] { (void)assay::load(e, {.backend = "null"}); }).what());
  };
  EXPECT_THAT(error(), AllOf(HasSubstr("do not fit together"), HasSubstr("'y' of 'b' is int64")));
  e.combine = Combine::kMembers;
  EXPECT_THAT(error(), HasSubstr("member 'a'"));
  // Of what rank the answer is only an engine may know.
  onnx_graph::TestModel unknown;
  unknown.input("x", {-1, 4}).node("Quomodocunquize", {"x"}, {"y"}).output("y");
  unknown.proto.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::FLOAT);
  write_file_atomically(folder_.path() / "unknown.onnx", unknown.bytes());
  e.combine = Combine::kMean;
  e.members[1] = member("b", "unknown.onnx");
  EXPECT_THAT(error(), AllOf(HasSubstr("member 'a'"), testing::Not(HasSubstr("fit together"))));
}

TEST(MemberErrorTest, KeepsWhatIsKnown) {
  const auto named = [](const auto& thrown) {
    try {
      throw thrown;
    } catch (...) {
      return member_error("b");
    }
  };
  const Error ours = named(Error(ErrorCode::kDeviceLost, "gone", "gpu:0"));
  EXPECT_EQ(ours.code(), ErrorCode::kDeviceLost);
  EXPECT_EQ(ours.message(), "member 'b': gone");
  EXPECT_EQ(ours.context(), "gpu:0");
  EXPECT_EQ(named(std::bad_alloc()).code(), ErrorCode::kOutOfMemory);
  EXPECT_EQ(named(std::runtime_error("why")).message(), "member 'b': why");
  EXPECT_EQ(named(1).code(), ErrorCode::kInternal);
}

}  // namespace
}  // namespace assay::engine
