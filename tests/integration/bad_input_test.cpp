// Bad input: a clear error, exit 2, nothing lost.
#include <sqlite3.h>

#include "integration/cli_fixture.hpp"
#include "support/tiny_models.hpp"

namespace assay::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Bad {
  const char* name;
  std::vector<std::string> arguments;
  const char* says;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadUsage : public CliTest, public testing::WithParamInterface<Bad> {};

TEST_P(BadUsage, IsTwoAndSaysWhatToDo) {
  std::vector<std::string> arguments = {"bench", "tiny-mlp"};
  arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const Result r = assay(arguments);
  EXPECT_EQ(r.status, 2) << r.out;
  EXPECT_THAT(r.err, HasSubstr(GetParam().says));
  EXPECT_EQ(r.out, "");
  EXPECT_FALSE(std::filesystem::exists(db_));
}

INSTANTIATE_TEST_SUITE_P(
    Cli, BadUsage,
    testing::Values(
        Bad{"Backend", {"--backend", "nul"}, "null"},
        Bad{"Option", {"--backend", "null", "--option", "compute=1"}, "compute_ms"},
        Bad{"OptionValue", {"--backend", "null", "--option", "compute_ms=-5"}, "compute_ms"},
        Bad{"OptionOfAList",
            {"--backend", "null", "--option", "untold=copy_in, fold"},
            "null.untold: 'fold' of 'copy_in, fold' is none of its choices: it takes a list of copy_in, "
            "compute, copy_out"},
        Bad{"OptionTwice",
            {"--backend", "null", "--option", "null.jitter=0", "--option", "null.jitter=1"},
            "option: 'null.jitter' is given twice, as '0' and as '1'"},
        Bad{"OptionOfAnother", {"--backend", "null", "--option", "openvino.streams=1"}, "not measured here"},
        Bad{"BatchZero",
            {"--backend", "null", "--batch-size", "0"},
            "batch-size: '0' is no batch size; give a whole number from 1"},
        Bad{"BatchText", {"--backend", "null", "--batch-size", "big"}, "batch-size: 'big'"},
        Bad{"Device", {"--backend", "null", "--device", "tpu"}, "device: 'tpu' is no device"},
        Bad{"Precision", {"--backend", "null", "--precision", "f8"}, "f32, bf16, f16, int8"},
        Bad{"Goal", {"--backend", "null", "--for", "speed"}, "throughput, latency"},
        Bad{"Threads", {"--backend", "null", "--threads", "0"}, "threads: '0'"},
        Bad{"Shape", {"--backend", "null", "--shape", "x"}, "NAME=1x3x640x640"},
        Bad{"ShapeOfNoInput", {"--backend", "null", "--shape", "nothing=1x2"}, "\"nothing\""},
        Bad{"BatchAxisOfNoInput", {"--backend", "null", "--batch-axis", "inptu=1"}, "did you mean 'input'?"},
        Bad{"RangeOfNoInput", {"--backend", "null", "--range", "ids=0:1"}, "no input 'ids'; there is input"},
        Bad{"RangeOfFloats", {"--backend", "null", "--range", "input=0:1"}, "ranges are for integers"},
        Bad{"DataThatIsMissing", {"--backend", "null", "--data", "/no.npy"}, "/no.npy: --data: there is no such file"},
        Bad{"DataThatIsNone", {"--backend", "null", "--data", "/dev/null"}, "/dev/null"},
        Bad{"Effort", {"--backend", "null", "--effort", "heroic"}, "quick, standard, rigorous"},
        Bad{"Duration", {"--backend", "null", "--duration", "5"}, "--duration: '5'"},
        Bad{"Memory", {"--backend", "null", "--memory-limit", "5"}, "--memory-limit: '5'"},
        Bad{"Plan", {"--plan", "/nonexistent.json"}, "/nonexistent.json"},
        Bad{"ResumeWithAxes", {"--resume"}, "goes on with the stored plan"}, Bad{"Unknown", {"--fast"}, "--fast"}),
    [](const auto& test) { return std::string(test.param.name); });

class BadFile : public CliTest {
 protected:
  void expect_refused(const std::string& model, const std::string& says,
                      const std::vector<std::vector<std::string>>& commands) {
    for (std::vector<std::string> arguments : commands) {
      arguments.push_back(model);
      const Result r = assay(arguments);
      EXPECT_EQ(r.status, 2) << arguments[0] << ": " << r.err;
      EXPECT_EQ(r.out, "");
      EXPECT_THAT(r.err, AllOf(HasSubstr(says), HasSubstr(std::filesystem::path(model).filename().string())));
    }
    EXPECT_FALSE(std::filesystem::exists(db_));
  }
  void expect_refused(const std::string& model, const std::string& says) {
    expect_refused(model, says, {kBench, kPredict, {"models", "show"}});
  }

  const std::vector<std::string> kBench = {"bench", "--backend", "null", "--duration", "50ms"};
  const std::vector<std::string> kPredict = {"predict", "--backend", "null", "--input", "x.npy"};
};

TEST_F(BadFile, AModelThatIsMissing) {
  const std::string says = "there is no file '" + file("no.onnx") + "', and no network of the zoo";
  expect_refused(file("no.onnx"), says);
  expect_refused("tiny-mlp+" + file("no.onnx"), says, {kBench, kPredict});
  expect_refused(folder_.path().string(),
                 "this is a folder and no TensorFlow SavedModel (it has no saved_model.pb); name an .onnx");
}

TEST_F(BadFile, AModelThatIsEmpty) {
  write_file_atomically(file("empty.onnx"), std::string());
  expect_refused(file("empty.onnx"), "the file is empty (0 bytes)");
}

TEST_F(BadFile, AModelThatIsNoOnnx) {
  write_file_atomically(file("text.onnx"),
                        std::string("this is a text, not a model, and long enough to look like one"));
  expect_refused(file("text.onnx"), "not a whole ONNX model");
}

TEST_F(BadFile, AMemberThatIsNoOnnx) {
  write_file_atomically(file("frozen.pb"), std::string("whatever"));
  std::vector<std::string> dry = kBench;
  dry.emplace_back("--dry-run");
  expect_refused("tiny-mlp+" + file("frozen.pb"), "a member of an ensemble is an ONNX file", {kBench, dry, kPredict});
}

TEST_F(BadFile, AModelThatIsCut) {
  ASSERT_EQ(assay({"models", "make", "tiny-mlp", "--dir", folder_.path().string()}).status, 0);
  const std::string whole = read_file(file("tiny-mlp.onnx"));
  write_file_atomically(file("cut.onnx"), whole.substr(0, whole.size() / 2));
  expect_refused(file("cut.onnx"), "is cut off");
}

TEST_F(BadFile, AGraphThatBitesItsTail) {
  tiny::write_cycle(file("cycle.onnx"));
  expect_refused(file("cycle.onnx"), "the graph has a cycle of 2 nodes");
}

TEST_F(BadFile, WeightsLargerThanAnyMemory) {
  tiny::write_huge(file("huge.onnx"));
  expect_refused(file("huge.onnx"), "1073741824x1073741824x1073741824");
}

TEST_F(BadFile, ExternalDataThatLiesElsewhere) {
  write_file_atomically(file("secret.bin"), std::string(16, 's'));
  std::filesystem::create_directory(file("models"));
  for (const std::string& location : {std::string("../secret.bin"), file("secret.bin")}) {
    tiny::write_external(file("models/outside.onnx"), location);
    expect_refused(file("models/outside.onnx"), "only files in the model's own folder are read");
  }
  std::filesystem::create_symlink(file("secret.bin"), file("models/link.bin"));
  tiny::write_external(file("models/outside.onnx"), "link.bin");
  expect_refused(file("models/outside.onnx"), "by a symbolic link");
  tiny::write_external(file("models/outside.onnx"), "missing.bin");
  expect_refused(file("models/outside.onnx"), "missing.bin");
}

TEST_F(BadFile, TextThatNoEngineIsFedHere) {
  tiny::write_strings(file("strings.onnx"));
  const std::string says = "has elements of type string";
  for (const auto& command : {kBench, kPredict}) {
    std::vector<std::string> arguments = command;
    arguments.push_back(file("strings.onnx"));
    const Result r = assay(arguments);
    EXPECT_NE(r.status, 0);
    EXPECT_THAT(r.err, AllOf(HasSubstr(says), HasSubstr("strings.onnx")));
  }
  EXPECT_THAT(assay({"models", "show", file("strings.onnx")}).out, HasSubstr("text: string batch"));
}

TEST_F(BadFile, AFreeAxisWithoutAValue) {
  tiny::write_mean(file("mean.onnx"));
  expect_refused(file("mean.onnx"), "axis 2 (height), axis 3 (width); add --shape x=1x1x?x?", {kBench});
  std::vector<std::string> arguments = kPredict;
  arguments.push_back(file("mean.onnx"));
  const Result r = assay(arguments);
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("axis 2 (height) of 'x', axis 3 (width) of 'x'"));
}

TEST_F(BadFile, ResultsThatAreNoSqlite) {
  write_file_atomically(db_, std::string(5000, 'x'));
  const Result r = assay({"bench", "tiny-mlp", "--backend", "null"});
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("not an SQLite file"));
}

TEST_F(BadFile, ResultsThatAreAFolder) {
  const std::string folder = folder_.path().string();
  for (const auto& arguments : {std::vector<std::string>{"bench", "tiny-mlp", "--backend", "null", "--db", folder},
                                {"bench", "--resume", "--db", folder},
                                {"results", "list", "--db", folder}}) {
    const Result r = assay(arguments);
    EXPECT_EQ(r.status, 2);
    EXPECT_THAT(r.err, HasSubstr("this is a folder, not a results file"));
  }
}

TEST_F(BadFile, ResultsOfANewerSchema) {
  {
    const store::Store store(db_);
  }
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(db_.c_str(), &db), SQLITE_OK);
  sqlite3_exec(db, "PRAGMA user_version = 99", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  for (const auto& arguments : {std::vector<std::string>{"bench", "tiny-mlp", "--backend", "null"},
                                {"results", "list"},
                                {"bench", "--resume"}}) {
    const Result r = assay(arguments);
    EXPECT_EQ(r.status, 2);
    EXPECT_THAT(r.err, HasSubstr("schema 99"));
  }
}

TEST_F(BadFile, ResultsThatCannotBeWritten) {
  environment_["ASSAY_DB"] = "/proc/results.db";  // where not even root may
  const Result r = assay({"bench", "tiny-mlp", "--backend", "null"});
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, AllOf(HasSubstr("/proc/results.db"), HasSubstr("--db FILE or ASSAY_DB")));
}

TEST_F(BadFile, ACacheThatCannotBeWritten) {
  const Result r = assay({"bench", "tiny-mlp", "--backend", "null", "--cache", "/proc/cache", "--duration", "50ms"});
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("/proc/cache"));
}

// The usual one, where it cannot be written, costs the figures of the cache, which say so, and nothing else.
TEST_F(BadFile, ACacheThatCannotBeWrittenAndAModelOfOnesOwn) {
  ASSERT_EQ(assay({"models", "make", "tiny-mlp", "--dir", folder_.path().string()}).status, 0);
  environment_["ASSAY_CACHE"] = "/proc/cache";
  std::vector<std::string> arguments = bench({"--for", "latency"});
  arguments[1] = file("tiny-mlp.onnx");
  const Result r = assay(arguments);
  EXPECT_EQ(r.status, 0) << r.err;
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 1U);
  EXPECT_EQ(c.outcomes[0].state, OutcomeState::kMeasured);
  const Metric* cached = find_metric(c.outcomes[0], "load.cached");
  ASSERT_NE(cached, nullptr);
  EXPECT_FALSE(cached->value.has_value());
  EXPECT_THAT(cached->remark, HasSubstr("the cache cannot be written"));
}

TEST_F(BadFile, APluginThatIsNone) {
  std::filesystem::create_directory(file("plugins"));
  write_file_atomically(file("plugins/libassay_backend_broken.so"), std::string("no library"));
  environment_["ASSAY_BACKEND_PATH"] = file("plugins");
  for (const auto& arguments : {std::vector<std::string>{"backends"}, {"backends", "-v"}, {"backends", "--json"}}) {
    const Result r = assay(arguments);
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_THAT(r.out, AllOf(HasSubstr("broken"), HasSubstr("plugin"), HasSubstr("null")));
  }
  const Result r = assay({"predict", "tiny-mlp", "--backend", "broken", "--input", file("x.npy")});
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.err, HasSubstr("this plugin cannot be opened"));
}

}  // namespace
}  // namespace assay::integration
