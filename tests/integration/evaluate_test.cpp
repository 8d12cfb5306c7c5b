// predict and evaluate with ensembles over ONNX Runtime: models that read a class from a colour, so that who is right
// about which image is known beforehand.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "input/test_images.hpp"
#include "integration/cli_fixture.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::integration {
namespace {

namespace fs = std::filesystem;
using onnx_graph::TestModel;
using testing::AllOf;
using testing::HasSubstr;

constexpr int kClasses = 8;
constexpr int kPerClass = 5;
/// Brightness of class k: a sixth of a class too bright, so that of the others the next one is the nearest.
constexpr int brightness(int k) { return 30 * k + 5; }
/// What an erring member takes a class for. Of these only classes 3 and 4 stay among the five nearest.
constexpr int mistaken(int k) { return (k + 3) % kClasses; }

class EvaluateTest : public CliTest {
 protected:
  EvaluateTest() {
    for (const char* name : {"ASSAY_ONNXRUNTIME_PATH", "VIRTUAL_ENV"}) {
      if (const char* value = std::getenv(name)) environment_[name] = value;
    }
  }

  /// Softmax of -3 (v / 30 - j)² over classes j, but for what is the same for all; v the mean of one colour.
  void write_reader(const std::string& name, int colour, int size, bool channels_last) const {
    std::vector<float> w(std::size_t{3} * kClasses), b;
    for (int j = 0; j < kClasses; ++j) {
      w[static_cast<std::size_t>(colour) * kClasses + static_cast<std::size_t>(j)] = 3.0F * static_cast<float>(j) / 15;
      b.push_back(-3.0F * static_cast<float>(j * j));
    }
    const std::vector<std::int64_t> axes =
        channels_last ? std::vector<std::int64_t>{1, 2} : std::vector<std::int64_t>{2, 3};
    TestModel m;
    m.input("x",
            channels_last ? std::vector<std::int64_t>{-1, size, size, 3} : std::vector<std::int64_t>{-1, 3, size, size})
        .floats("w", {3, kClasses}, w)
        .floats("b", {kClasses}, b)
        .node("ReduceMean", {"x"}, {"colour"}, {{"axes", axes}, {"keepdims", std::int64_t{0}}})
        .node("MatMul", {"colour", "w"}, {"products"})
        .node("Add", {"products", "b"}, {"logits"})
        .node("Softmax", {"logits"}, {"y"}, {{"axis", std::int64_t{-1}}})
        .output("y", {-1, kClasses});
    write_file_atomically(folder_.path() / (name + ".onnx"), m.bytes());
  }

  /// y = the mean colour: what the preprocessing made of it.
  void write_mean_colour(const std::string& name, const char* producer) const {
    TestModel m;
    m.proto.set_producer_name(producer);
    m.input("x", {-1, 3, 4, 4})
        .node("ReduceMean", {"x"}, {"y"}, {{"axes", std::vector<std::int64_t>{2, 3}}, {"keepdims", std::int64_t{0}}})
        .output("y", {-1, 3});
    write_file_atomically(folder_.path() / (name + ".onnx"), m.bytes());
  }

  /// Five images of each class: red reads it always, green and blue take the first three for another.
  void write_images(const std::string& folder, bool by_class) const {
    std::string table = "file,label\n";
    for (int k = 0; k < kClasses; ++k) {
      const fs::path place = folder_.path() / folder / (by_class ? "class" + std::to_string(k) : "");
      fs::create_directories(place);
      for (int i = 0; i < kPerClass; ++i) {
        const auto right = static_cast<std::uint8_t>(brightness(k));
        const auto other = static_cast<std::uint8_t>(brightness(i < 3 ? mistaken(k) : k));
        const std::string name = fmt::format("{}-{}.png", k, i);
        write_file_atomically(place / name, input::test::png_of(input::test::flat(6, 5, {right, other, other})));
        table += fmt::format("{},{}\n", name, k);
      }
    }
    write_file_atomically(folder_.path() / (folder + ".csv"), table);
  }

  void write_members() const {
    write_reader("red", 0, 4, false);
    write_reader("green", 1, 8, true);  // an input of its own
    write_reader("blue", 2, 4, false);
  }
  [[nodiscard]] std::string ensemble() const {
    return file("red.onnx") + "+" + file("green.onnx") + "+" + file("blue.onnx");
  }
  [[nodiscard]] Result evaluate(const std::string& model, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"evaluate", model};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return assay(std::move(arguments));
  }
};

TEST_F(EvaluateTest, WhatIsKnownBeforehandIsFoundWhateverTheStrategy) {
  write_members();
  write_images("val", true);
  std::string first;
  for (const char* strategy : {"sequential", "concurrent", "pipelined", "merged"}) {
    const Result r =
        evaluate(ensemble(), {"--images", file("val"), "--strategy", strategy, "--batch-size", "3", "--json"});
    ASSERT_EQ(r.status, 0) << r.err;
    if (first.empty()) first = r.out;
    EXPECT_EQ(r.out, first) << strategy;
  }
  const auto j = nlohmann::json::parse(first);
  EXPECT_EQ(j["schema"], 1);
  EXPECT_EQ(j["n"], 40);
  EXPECT_EQ(j["members"][0]["name"], "red");
  EXPECT_EQ(j["members"][0]["top1"]["value"], 1.0);
  for (const int m : {1, 2}) {
    EXPECT_EQ(j["members"][m]["top1"]["value"], 16.0 / 40);
    EXPECT_EQ(j["members"][m]["top5"]["value"], (16.0 + 2 * 3) / 40);
    EXPECT_NEAR(j["members"][m]["top1"]["low"].get<double>(), 0.2635, 1e-3);  // Wilson's of 16 of 40
    EXPECT_NEAR(j["members"][m]["top1"]["high"].get<double>(), 0.5540, 1e-3);
  }
  // The two that err together outvote the third, whose answer comes second.
  EXPECT_EQ(j["ensemble"]["top1"]["value"], 16.0 / 40);
  EXPECT_EQ(j["ensemble"]["top5"]["value"], 1.0);
  EXPECT_EQ(j["ensemble"]["paired"]["best_member"], "red");
  EXPECT_EQ(j["ensemble"]["paired"]["only_ensemble"], 0);
  EXPECT_EQ(j["ensemble"]["paired"]["only_member"], 24);
  const auto& w = j["weights"];
  EXPECT_EQ(w["searched"], 20);
  EXPECT_GT(w["found"][0].get<double>(), w["found"][1].get<double>() + w["found"][2].get<double>());
  EXPECT_EQ(w["weighted"]["top1"]["value"], 1.0);
  EXPECT_EQ(w["paired"]["only_equal"], 0);
  EXPECT_EQ(w["paired"]["gain_shown"], true);
}

TEST_F(EvaluateTest, WeightsAndVotesAreJudgedAsGiven) {
  write_members();
  write_images("val", true);
  struct Row {
    std::vector<std::string> more;
    double right;
    bool searched;
  };
  // Two that err together have 2 of 3 votes, and of a mean; the third, that is right, 5 of 7 where it weighs 5.
  for (const Row& row : {Row{{"--combine", "vote"}, 16.0 / 40, true}, Row{{"--weights", "5,1,1"}, 1.0, false},
                         Row{{"--combine", "vote", "--weights", "5,1,1"}, 1.0, false},
                         Row{{"--combine", "mean", "--weights", "1,1,1"}, 16.0 / 40, false}}) {
    std::vector<std::string> arguments = {"--images", file("val"), "--json"};
    arguments.insert(arguments.end(), row.more.begin(), row.more.end());
    const Result r = evaluate(ensemble(), arguments);
    ASSERT_EQ(r.status, 0) << r.err;
    const auto j = nlohmann::json::parse(r.out);
    EXPECT_EQ(j["ensemble"]["top1"]["value"], row.right) << r.out;
    EXPECT_EQ(j["weights"].is_null(), !row.searched);
    EXPECT_EQ(j["members"][1]["top1"]["value"], 16.0 / 40);
  }
  for (const auto& [option, value, says] :
       {std::array{"--weights", "1,2", "2 were given for 3 members"},
        std::array{"--combine", "members", "mean or vote"}, std::array{"--weights", "1,1,inf", "no weight"}}) {
    const Result r = evaluate(ensemble(), {"--images", file("val"), option, value});
    EXPECT_EQ(r.status, 2) << option;
    EXPECT_THAT(r.err, HasSubstr(says));
  }
  const Result one = evaluate(file("red.onnx"), {"--images", file("val"), "--weights", "1"});
  EXPECT_EQ(one.status, 2);
  EXPECT_THAT(one.err, HasSubstr("this is for ensembles"));
}

TEST_F(EvaluateTest, FilesWithAPlusInTheirNamesCanBeMembers) {
  write_reader("red+hot", 0, 4, false);
  write_reader("blue", 2, 4, false);
  write_images("val", true);
  EXPECT_EQ(evaluate(file("red+hot.onnx"), {"--images", file("val")}).status, 0);
  const Result two = evaluate(file("red++hot.onnx") + "+" + file("blue.onnx"), {"--images", file("val"), "--json"});
  ASSERT_EQ(two.status, 0) << two.err;
  EXPECT_EQ(nlohmann::json::parse(two.out)["members"][0]["name"], "red+hot");
  const Result wrong = evaluate(file("red+hot.onnx") + "+" + file("blue.onnx"), {"--images", file("val")});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("written twice: " + file("red++hot.onnx")));
  const Result bench = assay({"bench", file("red++hot.onnx") + "+" + file("blue.onnx"), "--backend", "onnxruntime",
                              "--for", "latency", "--strategy", "sequential", "--duration", "50ms"});
  EXPECT_EQ(bench.status, 0) << bench.err;
}

TEST_F(EvaluateTest, ATableOfLabelsSaysTheSameAsFolders) {
  write_members();
  write_images("val", false);
  std::string classes;
  for (int k = 0; k < kClasses; ++k) classes += "name" + std::to_string(k) + "\n";
  write_file_atomically(file("classes.txt"), classes);
  const Result r = evaluate(file("green.onnx"),
                            {"--images", file("val"), "--labels", file("val.csv"), "--classes", file("classes.txt")});
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, AllOf(HasSubstr("40 images, 8 classes"), HasSubstr("40.0 [26.3, 55.4]"), HasSubstr("55.0 [")));
  EXPECT_THAT(r.err, testing::Not(HasSubstr("warning")));
}

TEST_F(EvaluateTest, ClassesThatAreNotTheModelsAreUsage) {
  write_members();
  write_images("val", false);
  write_images("folders", true);
  fs::create_directories(file("empty"));
  write_file_atomically(file("many.csv"), std::string("0-0.png,7\n1-0.png,8\n"));
  write_file_atomically(file("bad.csv"), std::string("0-0.png,7\n1-0.png\n"));
  write_file_atomically(file("few.txt"), std::string("class0\nclass1\n"));
  fs::create_directories(folder_.path() / "two" / "class9");
  fs::copy_file(folder_.path() / "val" / "0-0.png", folder_.path() / "two" / "class9" / "a.png");
  const auto says = [&](std::vector<std::string> more) {
    const Result r = evaluate(ensemble(), std::move(more));
    EXPECT_EQ(r.status, 2) << r.err;
    return r.err;
  };
  EXPECT_THAT(says({"--images", file("val"), "--labels", file("many.csv")}),
              AllOf(HasSubstr("1-0.png"), HasSubstr("number 8, but 'red' knows 8, numbered from 0")));
  EXPECT_THAT(says({"--images", file("val"), "--labels", file("bad.csv")}),
              HasSubstr("line 2: '1-0.png' is not of the form"));
  EXPECT_THAT(says({"--images", file("folders"), "--classes", file("few.txt")}),
              HasSubstr("there is no class 'class2'"));
  EXPECT_THAT(says({"--images", file("empty")}), HasSubstr("neither a subfolder"));
  const Result few = evaluate(file("red.onnx"), {"--images", file("two")});
  EXPECT_EQ(few.status, 0) << few.err;
  EXPECT_THAT(few.err, HasSubstr("has 1 subfolder, the model 8 classes"));
}

// The same picture, normalised for the one and as it is for the other.
TEST_F(EvaluateTest, PredictPreparesAnImageForEachMemberAsItsPresetSays) {
  write_mean_colour("resnet50", "assay");
  write_mean_colour("plain", "test");
  write_file_atomically(file("p.png"), input::test::png_of(input::test::flat(300, 280, {51, 102, 153})));
  const auto top = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"predict", file("resnet50.onnx") + "+" + file("plain.onnx"), "--input",
                                          file("p.png"), "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result r = assay(std::move(arguments));
    EXPECT_EQ(r.status, 0) << r.err;
    return nlohmann::json::parse(r.out)["samples"][0]["top"];
  };
  const auto members = top({"--combine", "members"});
  EXPECT_NEAR(members["plain.y"][0]["value"].get<double>(), 153, 1e-3);
  EXPECT_EQ(members["resnet50.y"][0]["index"], 2);
  EXPECT_NEAR(members["resnet50.y"][0]["value"].get<double>(), (153.0 / 255 - 0.406) / 0.225, 1e-3);
  const auto alike = top({"--combine", "members", "--preprocess", "none"});
  EXPECT_NEAR(alike["resnet50.y"][0]["value"].get<double>(), 153, 1e-3);
  const auto weighted = top({"--weights", "3,1", "--preprocess", "none,scale=2"});
  EXPECT_NEAR(weighted["y"][0]["value"].get<double>(), 306, 1e-3);
  const auto mean = top({"--weights", "3,1"});
  EXPECT_NEAR(mean["y"][0]["value"].get<double>(), (3 * (153.0 / 255 - 0.406) / 0.225 + 153) / 4, 1e-3);
}

// The zoo's presets differ in name more often than in what they do.
TEST_F(EvaluateTest, MembersThatPrepareAnImageInTheSameWayShareTheInput) {
  for (const char* name : {"resnet50", "densenet201", "vgg19", "efficientnetb0"}) write_mean_colour(name, "assay");
  write_mean_colour("plain", "test");
  write_mean_colour("bare", "test");
  write_file_atomically(file("p.png"), input::test::png_of(input::test::flat(300, 280, {51, 102, 153})));
  const auto inputs = [&](const std::vector<std::string>& members, const std::string& strategy) {
    std::string models;
    for (const std::string& m : members) models += (models.empty() ? "" : "+") + file((m + ".onnx").c_str());
    const Result r = assay({"predict", models, "--strategy", strategy, "--input", "nothing=" + file("p.png")});
    EXPECT_EQ(r.status, 2) << r.out;
    return r.err;
  };
  for (const char* strategy : {"pipelined", "merged"}) {
    EXPECT_THAT(inputs({"resnet50", "densenet201", "vgg19"}, strategy), HasSubstr("no input 'nothing'; it has x\n"));
    EXPECT_THAT(inputs({"resnet50", "efficientnetb0", "plain", "densenet201", "bare"}, strategy),
                HasSubstr("it has resnet50.x, efficientnetb0.x, plain.x\n"));
  }
}

TEST_F(EvaluateTest, PredictCombinesMembersOfDifferentSizes) {
  write_members();
  write_images("val", false);
  const auto best = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"predict", ensemble(), "--input",
                                          (folder_.path() / "val" / "1-0.png").string(), "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result r = assay(std::move(arguments));
    EXPECT_EQ(r.status, 0) << r.err;
    return nlohmann::json::parse(r.out)["samples"][0]["top"]["y"][0];
  };
  EXPECT_EQ(best({})["index"], mistaken(1));
  EXPECT_EQ(best({"--weights", "5,1,1"})["index"], 1);
  const auto vote = best({"--combine", "vote", "--strategy", "sequential"});
  EXPECT_EQ(vote["index"], mistaken(1));
  EXPECT_NEAR(vote["value"].get<double>(), 2.0 / 3, 1e-6);
}

}  // namespace
}  // namespace assay::integration
