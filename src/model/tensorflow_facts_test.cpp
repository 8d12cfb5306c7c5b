// Models that are not ONNX. Their messages are written by hand: field and wire type, length, content.
#include "model/tensorflow_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/error.hpp"
#include "base/file.hpp"

namespace assay::model {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

/// `content` of less than 128 bytes.
std::string field(int number, const std::string& content) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(content.size()) + content;
}
std::string field(int number, int value) { return {static_cast<char>(number << 3), static_cast<char>(value)}; }

const std::string kPlaceholder = field(1, "x") + field(2, "Placeholder") +
                                 field(5, field(1, "dtype") + field(2, field(6, 1))) +
                                 field(5, field(1, "shape") + field(2, field(7, field(2, field(1, 3)))));
const std::string kGraph = field(1, kPlaceholder) + field(1, field(1, "y") + field(2, "Relu") + field(3, "x"));

class ForeignModelTest : public testing::Test {
 protected:
  ForeignModelTest() {
    const std::string port = field(1, "a") + field(2, field(1, "x:0") + field(2, 9) + field(3, field(3, 1)));
    const std::string ports = field(2, field(1, port) + field(2, port));
    std::filesystem::create_directories(saved_ / "variables");
    const std::string serve = field(2, kGraph) + field(5, field(1, "serving_default") + ports);
    const std::string more = field(5, field(1, "__init") + ports) + field(5, field(1, "other") + ports);
    write_file_atomically(saved_ / "saved_model.pb", field(1, 1) + field(2, serve) + field(2, more));
    write_file_atomically(saved_ / "variables" / "variables.index", std::string("index"));
    write_file_atomically(frozen_, kGraph);
  }
  TemporaryFolder folder_;
  std::filesystem::path saved_ = folder_.path() / "saved", frozen_ = folder_.path() / "frozen.pb";
};

TEST_F(ForeignModelTest, IsRecognisedAndHasNoPortsOfItsOwn) {
  const Model saved = read_model(saved_);
  EXPECT_EQ(saved.format, Format::kSavedModel);
  EXPECT_EQ(saved.path, saved_);
  EXPECT_THAT(saved.files, ElementsAre(saved_ / "saved_model.pb", saved_ / "variables" / "variables.index"));
  EXPECT_TRUE(saved.inputs.empty());
  EXPECT_EQ(read_model(saved_ / "").format, Format::kSavedModel);
  const Model frozen = read_model(frozen_);
  EXPECT_EQ(frozen.format, Format::kGraphDef);
  EXPECT_THAT(frozen.files, ElementsAre(frozen_));
}

TEST_F(ForeignModelTest, EveryFileOfTheFolderIsInTheHash) {
  const std::string before = model_hash(read_model(saved_));
  write_file_atomically(saved_ / "variables" / "variables.index", std::string("other"));
  const std::string after = model_hash(read_model(saved_));
  EXPECT_NE(after, before);
  std::filesystem::rename(saved_ / "variables" / "variables.index", saved_ / "variables" / "variables.data");
  EXPECT_NE(model_hash(read_model(saved_)), after);
}

TEST_F(ForeignModelTest, WhatIsEasilyReadIsShown) {
  const Model saved = inspect_model(saved_);
  EXPECT_THAT(saved.statistics.operators, ElementsAre(Pair("Placeholder", 1), Pair("Relu", 1)));
  ASSERT_EQ(saved.input_ports.size(), 1U);
  EXPECT_EQ(saved.input_ports[0].name, "a");
  EXPECT_EQ(saved.input_ports[0].type, "int64");
  EXPECT_FALSE(saved.input_ports[0].shape);
  EXPECT_EQ(saved.output_ports.size(), 1U);
  EXPECT_THAT(saved.signatures, ElementsAre("other", "serving_default"));
  const Model frozen = inspect_model(frozen_);
  ASSERT_EQ(frozen.input_ports.size(), 1U);
  EXPECT_EQ(frozen.input_ports[0].name, "x");
  EXPECT_EQ(frozen.input_ports[0].type, "float32");
  EXPECT_EQ(frozen.input_ports[0].shape, Shape{3});
}

TEST_F(ForeignModelTest, SignaturesAreNamedWithoutReadingTheRest) {
  EXPECT_THAT(signature_names(read_model(saved_)), ElementsAre("other", "serving_default"));
  EXPECT_THAT(signature_names(read_model(frozen_)), IsEmpty());
}

TEST_F(ForeignModelTest, WhatIsBrokenIsSaidToBeWhatItWasTakenFor) {
  const std::string whole = read_file(saved_ / "saved_model.pb");
  struct Row {
    const char* what;
    std::filesystem::path model, file;
    std::string bytes;
    const char *kind, *reason;
  };
  const std::vector<Row> rows = {
      {"a graph that is cut off", frozen_, frozen_, kGraph.substr(0, kGraph.size() - 3), "frozen TensorFlow graph",
       "its name ends in .pb"},
      {"a text", frozen_, frozen_, "no graph, a text", "frozen TensorFlow graph", "an ONNX model is named *.onnx"},
      {"nothing", frozen_, frozen_, "", "frozen TensorFlow graph", "it has no operators"},
      {"a name that is no text", frozen_, frozen_, field(1, field(1, "\xff\xfe")), "frozen TensorFlow graph",
       "is not UTF-8"},
      {"a SavedModel that is cut off", saved_, saved_ / "saved_model.pb", whole.substr(0, whole.size() - 3),
       "TensorFlow SavedModel", "it holds a file saved_model.pb"},
  };
  for (const Row& row : rows) {
    write_file_atomically(row.file, row.bytes);
    EXPECT_THAT(
        [&] { inspect_model(row.model); },
        testing::ThrowsMessage<Error>(AllOf(HasSubstr(row.kind), HasSubstr(row.reason), HasSubstr(row.file.string()))))
        << row.what;
  }
}

TEST_F(ForeignModelTest, WhatIsNoModelIsRefused) {
  EXPECT_THAT([&] { read_model(saved_ / "saved_model.pb"); },
              testing::ThrowsMessage<Error>(HasSubstr("name the folder that holds it")));
  EXPECT_THROW(read_model(folder_.path() / "none.pb"), Error);
}

TEST_F(ForeignModelTest, WhoCannotReadItSaysWhatToDo) {
  EXPECT_EQ(why_not_read("some", 3, Format::kSavedModel), "");
  EXPECT_EQ(why_not_read("onnxruntime", 1, Format::kSavedModel),
            "onnxruntime reads ONNX, and this is a TensorFlow SavedModel: use --backend tensorflow, or convert it with "
            "tf2onnx");
}

}  // namespace
}  // namespace assay::model
