// predict and cache, as they are typed.
#include <nlohmann/json.hpp>
#include <thread>

#include "input/npy.hpp"
#include "integration/cli_fixture.hpp"

namespace assay::integration {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class PredictTest : public CliTest {
 protected:
  [[nodiscard]] std::string write_input(const char* name, Shape shape, float value) const {
    Tensor t(DType::kFloat32, std::move(shape));
    for (std::int64_t i = 0; i < t.size(); ++i) t.as<float>()[i] = value + static_cast<float>(i);
    input::write_npy(folder_.path() / name, t.view());
    return file(name);
  }
  [[nodiscard]] Result predict(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"predict", "tiny-mlp", "--backend",
                                          "null",    "--option", "io=input:float32:-1x8->probabilities:float32:-1x4"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return assay(arguments);
  }
};

TEST_F(PredictTest, AnswersEverySampleInOrderWhateverTheBatch) {
  const std::string x = write_input("x.npy", {5, 8}, 0);
  for (const char* batch : {"1", "2", "8"}) {
    const Result r = predict({"--input", x, "--batch-size", batch, "-o", file(batch) + ".npy", "--top", "2"});
    ASSERT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(std::count(r.out.begin(), r.out.end(), '\n'), 5);
    EXPECT_THAT(r.err, HasSubstr("its answers mean nothing"));
  }
  const input::NpyFile one(file("1.npy"));
  EXPECT_EQ(one.view().shape, (Shape{5, 4}));
  EXPECT_EQ(read_file(file("1.npy")), read_file(file("2.npy")));
  EXPECT_EQ(read_file(file("1.npy")), read_file(file("8.npy")));
}

TEST_F(PredictTest, PrintsTheLargestWithTheirLabels) {
  const std::string x = write_input("x.npy", {1, 8}, 0);
  write_file_atomically(file("labels.txt"), std::string("cat\ndog\r\nowl\nfox\n"));
  const auto j = nlohmann::json::parse(
      predict({"--input", x, "--labels", file("labels.txt"), "--top", "9", "--json", "-o", file("y.npy")}).out);
  const auto& top = j["samples"][0]["top"]["probabilities"];
  ASSERT_EQ(top.size(), 4U);
  const input::NpyFile y(file("y.npy"));
  const auto* values = static_cast<const float*>(y.view().data);
  const std::vector<std::string> names = {"cat", "dog", "owl", "fox"};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto index = top[i]["index"].get<std::size_t>();
    EXPECT_EQ(top[i]["label"], names[index]);
    EXPECT_FLOAT_EQ(top[i]["value"].get<float>(), values[index]);
    EXPECT_LE(top[i]["value"].get<float>(), top[i == 0 ? 0 : i - 1]["value"].get<float>());
  }
}

TEST_F(PredictTest, LabelsOfAnotherNumberOfClassesAreWarnedOf) {
  const std::string x = write_input("x.npy", {2, 8}, 0);
  const auto warned = [&](const char* labels) {
    write_file_atomically(file("labels.txt"), std::string(labels));
    const Result r = predict({"--input", x, "--labels", file("labels.txt")});
    EXPECT_EQ(r.status, 0) << r.err;
    return r.err;
  };
  EXPECT_THAT(warned("cat\ndog\nowl\nfox\n"), testing::Not(HasSubstr("warning")));
  EXPECT_THAT(warned("cat\ndog\nowl\n"), HasSubstr("has 3 lines, but 'probabilities' has 4 values a sample"));
}

TEST_F(PredictTest, SaysWhatItComputedInWhereThatIsNotPlain) {
  const std::string x = write_input("x.npy", {2, 8}, 0);
  EXPECT_THAT(predict({"--input", x}).err, testing::Not(HasSubstr("computed in")));
  const Result r = predict({"--input", x, "--option", "reads_back=precision=bf16"});
  EXPECT_EQ(r.status, 0);
  EXPECT_THAT(r.err, testing::EndsWith("note: computed in bf16\n"));
  EXPECT_THAT(r.out, testing::Not(HasSubstr("bf16")));
}

TEST_F(PredictTest, WritesAFileForEachOutputIntoAFolder) {
  const Result r = predict({"--input", write_input("x.npy", {2, 8}, 0), "-o", file("answers"), "--top", "0"});
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, "");
  EXPECT_TRUE(fs::exists(folder_.path() / "answers" / "probabilities.npy"));
}

TEST_F(PredictTest, JsonHasShapesEvenWithoutTheLargest) {
  const Result r = predict({"--input", write_input("x.npy", {3, 8}, 0), "--json", "--top", "0"});
  EXPECT_EQ(r.status, 0) << r.err;
  const auto j = nlohmann::json::parse(r.out);
  EXPECT_EQ(j["samples"].size(), 3U);
  EXPECT_TRUE(j["samples"][0]["top"]["probabilities"].empty());
  EXPECT_EQ(j["shapes"]["probabilities"], (std::vector<int>{3, 4}));
}

TEST_F(PredictTest, WhatFailsIsOneAndWhatWasAskedWronglyIsTwo) {
  const std::string x = write_input("x.npy", {2, 8}, 0);
  for (const char* at : {"fail_at=run", "fail_at=submit"}) {
    for (const char* as : {"invalid_argument", "invalid_model", "framework", "out_of_memory"}) {
      const Result r = predict({"--input", x, "--option", at, "--option", std::string("fail_as=") + as});
      EXPECT_EQ(r.status, 1) << at << " " << as << ": " << r.err;
      EXPECT_THAT(r.err, HasSubstr("told to fail"));
    }
  }
  const Result asked = predict({"--input", x, "--option", "fail_as=nothing"});
  EXPECT_EQ(asked.status, 2) << asked.err;
}

TEST_F(PredictTest, AnEnsemblesMemberThatFailsIsOneAndItsSettingsAreChecked) {
  const std::string x = write_input("x.npy", {2, 8}, 0);
  const auto ensemble = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"predict", "tiny-mlp+tiny-mlp", "--backend", "null", "--input", x};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return assay(arguments);
  };
  EXPECT_EQ(ensemble({}).status, 0);
  const Result failed = ensemble({"--option", "fail_at=run", "--option", "fail_as=invalid_argument"});
  EXPECT_EQ(failed.status, 1);
  // Both members fail: whichever is first is named (tiny-mlp or tiny-mlp#2).
  EXPECT_THAT(failed.err, AllOf(HasSubstr("member 'tiny-mlp"), HasSubstr("told to fail")));
  for (const auto& [more, says] : std::vector<std::pair<std::vector<std::string>, const char*>>{
           {{"--weights", "1,2,3"}, "3 were given for 2 members"},
           {{"--weights", "1,2", "--combine", "members"}, "nothing is weighted"},
           {{"--strategy", "placed"}, "is searched for by `assay bench`"},
           {{"--strategy", "all"}, "--strategy: predict takes one value"},
           {{"--combine", "median"}, "mean, vote, members"}}) {
    const Result r = ensemble(more);
    EXPECT_EQ(r.status, 2) << says;
    EXPECT_THAT(r.err, HasSubstr(says));
  }
  EXPECT_THAT(predict({"--input", x, "--combine", "vote"}).err, HasSubstr("this is for ensembles"));
}

TEST_F(PredictTest, InterruptedIs130) {
  const std::string x = write_input("x.npy", {1000, 8}, 0);
  std::vector<std::string> arguments = {"predict", "tiny-mlp", "--backend", "null", "--input", x};
  for (const char* option : {"compute_ms=100", "io=input:float32:-1x8->probabilities:float32:-1x4"}) {
    arguments.insert(arguments.end(), {"--option", option});
  }
  Program program(command(arguments), environment_);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  program.send(SIGINT);
  EXPECT_EQ(program.wait().status, 130);
}

/// A load of many minutes: nobody can tell the engine to stop, so the process ends, and takes away what it was filling.
TEST_F(PredictTest, InterruptedAmidALoadItEndsAtOnceAndLeavesNothing) {
  const fs::path graphs = folder_.path() / "cache" / "graphs";
  const std::string x = write_input("x.npy", {1, 8}, 0);
  for (const char* model : {"tiny-mlp", "tiny-mlp+tiny-mlp"}) {
    Program program(command({"predict", model, "--backend", "null", "--input", x, "--option", "hang_at=cache_fill"}),
                    environment_);
    const auto filling = [&] { return fs::is_directory(graphs) && !fs::is_empty(graphs); };
    ASSERT_TRUE(eventually(filling));
    EXPECT_THAT(assay({"cache", "list"}).out, HasSubstr("being filled"));
    program.send(SIGINT);
    const Result r = program.wait();
    EXPECT_EQ(r.status, 130);
    EXPECT_THAT(r.err, HasSubstr("interrupted"));
    EXPECT_FALSE(filling());
  }
}

/// The worker is killed while it fills; the host knows, and sweeps.
TEST_F(CliTest, ABenchInterruptedAmidALoadLeavesNothingInTheCache) {
  const fs::path graphs = folder_.path() / "cache" / "graphs";
  Program program(command(bench({"--for", "latency", "--option", "null.hang_at=cache_fill"})), environment_);
  const auto filling = [&] { return fs::is_directory(graphs) && !fs::is_empty(graphs); };
  ASSERT_TRUE(eventually(filling));
  program.send(SIGINT);
  EXPECT_EQ(program.wait().status, 130);
  EXPECT_FALSE(filling());
}

TEST_F(PredictTest, RunsOnOneEngine) {
  const std::string help = assay({"predict", "--help"}).out;
  for (const char* list : {",…", "|all", "1..1024"}) {
    const std::size_t options = help.find("--backend");
    EXPECT_EQ(help.find(list, options), std::string::npos) << list;
  }
  const Result all = assay({"predict", "tiny-mlp", "--input", "x.npy", "--backend", "all"});
  EXPECT_EQ(all.status, 2);
  EXPECT_THAT(all.err, HasSubstr("assay: --backend: predict runs on one engine, found 'all'; name one of"));
  const Result list = assay({"predict", "tiny-mlp", "--input", "x.npy", "--backend", "null,openvino"});
  EXPECT_EQ(list.status, 2);
  EXPECT_THAT(list.err, HasSubstr("assay: --backend: predict takes one value, found 2"));
}

// A plugin that computes for a quarter of an hour, would it come to that.
TEST_F(PredictTest, WhatCannotBeWrittenOrReadIsSaidBeforeComputing) {
  const std::string x = write_input("x.npy", {2, 8}, 0);
  const auto says = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--input", x, "--option", "compute_ms=1000000"});
    const Result r = predict(std::move(more));
    EXPECT_EQ(r.status, 2);
    return r.err;
  };
  EXPECT_THAT(says({"-o", "/proc/y.npy"}), HasSubstr("nothing can be written here"));
  EXPECT_THAT(says({"-o", file("no/folder/y.npy")}), HasSubstr("no such folder"));
  EXPECT_THAT(says({"-o", "/proc/answers"}), HasSubstr("cannot create the folder"));
  EXPECT_THAT(says({"--labels", file("labels.txt")}), HasSubstr("labels.txt"));
  EXPECT_THAT(says({"--labels", x}), HasSubstr("this is no text"));
  EXPECT_THAT(says({"-o", x}), HasSubstr("the input itself"));
  EXPECT_THAT(says({"--top", "-1"}), HasSubstr("--top"));
  EXPECT_THAT(says({"--option", "openvino.streams=1"}), HasSubstr("'openvino.streams' is for another engine"));
  EXPECT_THAT(says({"--preprocess", "mean=nan"}), HasSubstr("finite"));
}

TEST_F(PredictTest, RefusesInputsThatDoNotFit) {
  const auto says = [&](std::vector<std::string> arguments) {
    const Result r = predict(std::move(arguments));
    EXPECT_EQ(r.status, 2);
    return r.err;
  };
  EXPECT_THAT(says({"--input", file("missing.npy")}), HasSubstr("missing.npy"));
  EXPECT_THAT(says({"--input", write_input("wide.npy", {2, 9}, 0)}), HasSubstr("wide.npy"));
  EXPECT_THAT(says({"--input", write_input("deep.npy", {2, 8, 1}, 0)}), HasSubstr("deep.npy"));
  EXPECT_THAT(says({"--input", write_input("nan.npy", {1, 8}, std::numeric_limits<float>::quiet_NaN())}),
              HasSubstr("nan.npy"));
  EXPECT_THAT(says({"--input", write_input("zero.npy", {0, 8}, 0), "-o", file("y.npy")}),
              HasSubstr("no sample at all"));
  Tensor integers(DType::kInt64, {1, 8});
  std::fill_n(integers.as<std::int64_t>(), 8, 0);
  input::write_npy(file("integers.npy"), integers.view());
  EXPECT_THAT(says({"--input", file("integers.npy")}), HasSubstr("is float32, the file holds int64"));
  EXPECT_THAT(says({"--input", "nothing=" + write_input("x.npy", {1, 8}, 0)}), HasSubstr("nothing"));
  EXPECT_THAT(says({"--input", file("x.npy"), "--batch-size", "1,2"}), HasSubstr("predict takes one value"));
  EXPECT_THAT(says({}), HasSubstr("--input"));
}

TEST_F(CliTest, TheCacheIsListedVerifiedAndCleared) {
  EXPECT_THAT(assay({"cache", "list"}).out, HasSubstr("0 graphs"));
  ASSERT_EQ(assay(bench({"--for", "latency"})).status, 0);
  const std::string listed = assay({"cache", "list"}).out;
  EXPECT_THAT(listed, AllOf(HasSubstr("null 1.0.0"), HasSubstr("1 graphs")));
  EXPECT_LE(listed.find('\n'), 80U);
  EXPECT_EQ(nlohmann::json::parse(assay({"cache", "list", "--json"}).out)["graphs"].size(), 1U);
  EXPECT_EQ(assay({"cache", "verify"}).status, 0);
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "cache" / "graphs")) {
    if (entry.path().filename() == "null.graph") write_file_atomically(entry.path(), std::string("damaged"));
  }
  const Result damaged = assay({"cache", "verify"});
  EXPECT_EQ(damaged.status, 1);
  EXPECT_THAT(damaged.out, HasSubstr("1 damaged"));
  ASSERT_EQ(assay(bench({"--for", "latency"})).status, 0);
  fs::create_directories(folder_.path() / "cache" / "graphs" / ".filling-dead");
  EXPECT_THAT(assay({"cache", "list"}).out, HasSubstr("its process is gone"));
  EXPECT_EQ(nlohmann::json::parse(assay({"cache", "list", "--json"}).out)["unfinished"][0]["being_filled"], false);
  EXPECT_THAT(assay({"cache", "clear"}).out,
              AllOf(HasSubstr("1 graphs removed"), HasSubstr("1 unfinished ones of processes that are gone removed")));
  EXPECT_THAT(assay({"cache", "list"}).out, HasSubstr("0 graphs"));
}

}  // namespace
}  // namespace assay::integration
