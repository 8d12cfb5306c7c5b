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
        Bad{"Effort", {"--backend", "null", "--effort", "heroic"}, "quick, standard, rigorous"},
        Bad{"Duration", {"--backend", "null", "--duration", "5"}, "--duration: '5'"},
        Bad{"Memory", {"--backend", "null", "--memory-limit", "5"}, "--memory-limit: '5'"},
        Bad{"Plan", {"--plan", "/nonexistent.json"}, "/nonexistent.json"},
        Bad{"ResumeWithAxes", {"--resume"}, "goes on with the stored plan"}, Bad{"Unknown", {"--fast"}, "--fast"}),
    [](const auto& test) { return std::string(test.param.name); });

class BadFile : public CliTest {
 protected:
  void expect_refused(const std::string& model, const std::string& says) {
    const Result r = assay({"bench", model, "--backend", "null", "--duration", "50ms"});
    EXPECT_EQ(r.status, 2) << r.err;
    EXPECT_THAT(r.err, AllOf(HasSubstr(says), HasSubstr(std::filesystem::path(model).filename().string())));
  }
};

TEST_F(BadFile, AModelThatIsMissing) { expect_refused(file("no.onnx"), ""); }

TEST_F(BadFile, AModelThatIsEmpty) {
  write_file_atomically(file("empty.onnx"), std::string());
  expect_refused(file("empty.onnx"), "empty");
}

TEST_F(BadFile, AModelThatIsNoOnnx) {
  write_file_atomically(file("text.onnx"),
                        std::string("this is a text, not a model, and long enough to look like one"));
  expect_refused(file("text.onnx"), "");
}

TEST_F(BadFile, AModelThatIsCut) {
  ASSERT_EQ(assay({"models", "make", "tiny-mlp", "--dir", folder_.path().string()}).status, 0);
  const std::string whole = read_file(file("tiny-mlp.onnx"));
  write_file_atomically(file("cut.onnx"), whole.substr(0, whole.size() / 2));
  expect_refused(file("cut.onnx"), "");
}

TEST_F(BadFile, AGraphThatBitesItsTail) {
  tiny::write_cycle(file("cycle.onnx"));
  expect_refused(file("cycle.onnx"), "");
}

TEST_F(BadFile, AFreeAxisWithoutAValue) {
  tiny::write_mean(file("mean.onnx"));
  expect_refused(file("mean.onnx"), "axis 2 (height), axis 3 (width); add --shape x=1x1x?x?");
}

TEST_F(BadFile, ResultsThatAreNoSqlite) {
  write_file_atomically(db_, std::string(5000, 'x'));
  const Result r = assay({"bench", "tiny-mlp", "--backend", "null"});
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("not an SQLite file"));
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

}  // namespace
}  // namespace assay::integration
