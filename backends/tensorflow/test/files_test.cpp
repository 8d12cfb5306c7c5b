// TensorFlow's own files, through the plugin: what is run, and what is said of those that cannot be.
#include <gmock/gmock.h>

#include "test/framework_fixture.hpp"
#include "test/tensorflow_files.hpp"

namespace assay::tensorflow {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class TensorFlowFiles : public test::OverTensorFlow<> {
 protected:
  void SetUp() override {
    OverTensorFlow::SetUp();
    request_.options["xla"] = "false";
  }
  void saved_model(const std::string& bytes = test::add_relu_saved_model()) {
    request_.model_path = folder_ + "/model";
    test::write_file(request_.model_path + "/saved_model.pb", bytes);
  }
  void graph_file(const std::string& bytes = test::add_relu_graph().bytes()) {
    request_.model_path = folder_ + "/model.pb";
    test::write_file(request_.model_path, bytes);
  }
  /// What the session's outputs are for a batch of two.
  static std::vector<std::vector<float>> run(kit::Session& session, std::vector<float> x) {
    std::vector<std::vector<float>> values;
    for (test::Answer& answer : answers(session, std::move(x), {2, 3})) values.push_back(std::move(answer.values));
    return values;
  }

  /// The status is `status`; the message.
  std::string failure(assay_status status) {
    try {
      open();
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), status) << e.what();
      return e.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
  }
};

std::vector<std::string> names_of(const std::vector<kit::TensorInfo>& infos) {
  std::vector<std::string> names;
  for (const kit::TensorInfo& info : infos) names.push_back(info.name);
  return names;
}

TEST_F(TensorFlowFiles, ASavedModelRunsByItsSignature) {
  saved_model();
  const auto session = open();
  const kit::Description d = session->describe();
  EXPECT_THAT(names_of(d.inputs), ElementsAre("image"));
  EXPECT_THAT(names_of(d.outputs), ElementsAre("answer", "sum")) << "by name: a map has no order in the file";
  EXPECT_EQ(d.inputs[0].dtype, ASSAY_FLOAT32);
  EXPECT_THAT(d.inputs[0].shape, ElementsAre(-1, 3));
  EXPECT_FALSE(d.from_cache);
  EXPECT_THAT(run(*session, {0, 0, 0, -5, 5, -5}),
              ElementsAre(ElementsAre(1, 0, 3, 0, 3, 0), ElementsAre(1, -2, 3, -4, 3, -2)));
}

TEST_F(TensorFlowFiles, AnotherSignatureIsChosen) {
  saved_model();
  request_.options["signature"] = "other";
  EXPECT_THAT(names_of(open()->describe().inputs), ElementsAre("in"));
  request_.options["signature"] = "othr";
  EXPECT_THAT(failure(ASSAY_INVALID_ARGUMENT),
              AllOf(HasSubstr("no signature 'othr'"), HasSubstr("other, serving_default")));
}

TEST_F(TensorFlowFiles, AFrozenGraphRunsFromItsPlaceholdersToItsEnds) {
  graph_file();
  const auto session = open();
  const kit::Description d = session->describe();
  EXPECT_THAT(names_of(d.inputs), ElementsAre("x")) << "what nothing takes is no input";
  EXPECT_THAT(names_of(d.outputs), ElementsAre("y"));
  EXPECT_THAT(d.outputs[0].shape, ElementsAre(-1, 3));
  EXPECT_THAT(run(*session, {0, 0, 0, -5, 5, -5}), ElementsAre(ElementsAre(1, 0, 3, 0, 3, 0)));
}

TEST_F(TensorFlowFiles, AFrozenGraphsInputsAndOutputsAreNamed) {
  graph_file();
  request_.options["outputs"] = "sum:0, y";
  const auto session = open();
  EXPECT_THAT(names_of(session->describe().outputs), ElementsAre("sum", "y"));
  EXPECT_THAT(run(*session, {0, 0, 0, 0, 0, 0})[0], ElementsAre(1, -2, 3, 1, -2, 3));
  request_.options = {{"inputs", "image"}};
  EXPECT_THAT(failure(ASSAY_INVALID_ARGUMENT), AllOf(HasSubstr("names 'image'"), HasSubstr("candidates are: x")));
  request_.options = {{"inputs", "x"}, {"outputs", "x"}};
  EXPECT_THAT(failure(ASSAY_INVALID_ARGUMENT), HasSubstr("'x' is an input and an output at once"));
  request_.options = {{"inputs", "x,x:0"}};
  EXPECT_THAT(failure(ASSAY_INVALID_ARGUMENT), HasSubstr("'x' and 'x' are one tensor"));
  request_.options = {{"outputs", "y,y:0"}};
  EXPECT_THAT(failure(ASSAY_INVALID_ARGUMENT), HasSubstr("two outputs are called 'y'"));
  request_.options = {{"outputs", "y:1"}};
  EXPECT_THAT(failure(ASSAY_INVALID_ARGUMENT), AllOf(HasSubstr("names 'y:1'"), HasSubstr("candidates are: y")));
}

TEST_F(TensorFlowFiles, AGraphOfVariablesIsNotFrozen) {
  graph_file(test::add_relu_graph(false).bytes());
  EXPECT_THAT(failure(ASSAY_INVALID_MODEL), AllOf(HasSubstr("not frozen"), HasSubstr("'c' is a variable")));
}

TEST_F(TensorFlowFiles, AGraphWithoutPlaceholdersHasNothingToFeed) {
  graph_file(MessageWriter().message(1, test::node("nothing", "NoOp", {}, {})).bytes());
  EXPECT_THAT(failure(ASSAY_INVALID_MODEL), HasSubstr("no placeholder to feed"));
}

TEST_F(TensorFlowFiles, WhatIsNoGraphIsRefused) {
  graph_file("this is a text, and no graph");
  EXPECT_THAT(failure(ASSAY_INVALID_MODEL), HasSubstr("importing the frozen graph (a GraphDef) failed"));
  const std::string whole = test::add_relu_graph().bytes();
  graph_file(whole.substr(0, whole.size() / 2));
  EXPECT_THAT(failure(ASSAY_INVALID_MODEL), HasSubstr("importing the frozen graph (a GraphDef) failed"));
  graph_file("");
  EXPECT_THAT(failure(ASSAY_INVALID_MODEL), HasSubstr("holds no operations"));
}

TEST_F(TensorFlowFiles, ABrokenSavedModelIsRefused) {
  const std::string whole = test::add_relu_saved_model();
  saved_model(whole.substr(0, whole.size() / 2));
  EXPECT_THAT(failure(ASSAY_INVALID_MODEL), HasSubstr("loading the SavedModel"));
  std::filesystem::remove(request_.model_path + "/saved_model.pb");
  EXPECT_THAT(failure(ASSAY_INVALID_MODEL), HasSubstr("holds no saved_model.pb"));
}

TEST_F(TensorFlowFiles, OptionsOfAnotherKindAreRefused) {
  saved_model();
  request_.options["outputs"] = "y";
  EXPECT_THAT(failure(ASSAY_INVALID_ARGUMENT), HasSubstr("the option outputs is for a frozen graph"));
  graph_file();
  request_.options = {{"signature", "other"}};
  EXPECT_THAT(failure(ASSAY_INVALID_ARGUMENT), HasSubstr("the option signature is for a SavedModel"));
}

}  // namespace
}  // namespace assay::tensorflow
