// models, as it is typed.
#include <nlohmann/json.hpp>

#include "integration/cli_fixture.hpp"
#include "support/tiny_models.hpp"

namespace assay::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(CliTest, TheZooIsListed) {
  const Result text = assay({"models", "list"});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.out, AllOf(HasSubstr("vgg19"), HasSubstr("143,667,240"), HasSubstr("tiny-mlp"),
                              HasSubstr("their answers mean nothing")));
  const auto j = nlohmann::json::parse(assay({"models", "list", "--json"}).out);
  EXPECT_EQ(j["schema"], 1);
  std::map<std::string, std::int64_t> parameters;
  for (const auto& m : j["models"]) parameters[m["name"]] = m["parameters"];
  EXPECT_EQ(parameters["resnet50"], 25'557'032);
  EXPECT_EQ(parameters["densenet201"], 20'013'928);
  EXPECT_EQ(parameters["efficientnetb0"], 5'288'548);
}

TEST_F(CliTest, AModelIsShown) {
  const Result text = assay({"models", "show", "tiny-resnet"});
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("parameters "), HasSubstr("layers "), HasSubstr("parameters a layer"),
                              HasSubstr("jumps "), HasSubstr(" Add)"), HasSubstr("FLOPs a sample"), HasSubstr("opset"),
                              HasSubstr("operators"), HasSubstr("float32 batchx")));
  const auto j = nlohmann::json::parse(assay({"models", "show", "tiny-mlp", "--json"}).out);
  EXPECT_EQ(j["schema"], 1);
  EXPECT_EQ(j["parameters"], 8 * 8 + 8 + 8 * 4 + 4);
  EXPECT_EQ(j["layers"], 2);
  EXPECT_EQ(j["jumps"], 0);
  EXPECT_EQ(j["flops"], 2 * (8 * 8 + 8 * 4));
  EXPECT_EQ(j["opset"], 17);
  EXPECT_EQ(j["inputs"][0]["name"], "input");
  EXPECT_EQ(j["inputs"][0]["type"], "float32");
  EXPECT_EQ(j["inputs"][0]["shape"], (std::vector<int>{-1, 8}));
  EXPECT_EQ(j["inputs"][0]["axes"][0], "batch");
  EXPECT_EQ(j["outputs"][0]["name"], "probabilities");
}

TEST_F(CliTest, FreeAxesOfAShownModelAreGiven) {
  const auto flops = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"models", "show", "tiny-free-axes", "--json"});
    return nlohmann::json::parse(assay(more).out)["flops"];
  };
  EXPECT_TRUE(flops({}).is_null());
  const std::int64_t once = flops({"--shape", "input=1x3x16x16"});
  EXPECT_GT(once, 0);
  EXPECT_EQ(flops({"--shape", "input=9x3x16x16"}), once) << "of one sample";
  const std::int64_t fixed = nlohmann::json::parse(
      assay({"models", "show", "tiny-fixed-batch", "--batch-axis", "input=0", "--json"}).out)["flops"];
  EXPECT_EQ(fixed, 2 * (8 * 16 + 16 * 4));
}

TEST_F(CliTest, ShapesThatCannotBeAreRefusedByShow) {
  const auto says = [&](const char* shape) {
    const Result r = assay({"models", "show", "tiny-free-axes", "--shape", shape});
    EXPECT_EQ(r.status, 2) << shape;
    EXPECT_EQ(r.out, "");
    return r.err;
  };
  EXPECT_THAT(says("1x3x8x8"), HasSubstr("is not of the form NAME=1x3x640x640"));
  EXPECT_THAT(says("input=1x3x8"), HasSubstr("has 3 axes"));
  EXPECT_THAT(says("input=1x4x8x8"), HasSubstr("is 3 in the model, but 4 was given"));
  EXPECT_THAT(says("nothing=1"), HasSubstr("no input of the model"));
  EXPECT_THAT(says("input=4294967296x3x4294967296x4294967296"), Not(HasSubstr("-")));
  const Result axis = assay({"models", "show", "tiny-mlp", "--batch-axis", "inptu=1"});
  EXPECT_EQ(axis.status, 2) << axis.out;
  EXPECT_THAT(axis.err, HasSubstr("did you mean 'input'?"));
  EXPECT_THAT(assay({"models", "show", "tiny-mpl"}).err, HasSubstr("tiny-mlp"));
}

}  // namespace
}  // namespace assay::integration
