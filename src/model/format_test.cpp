#include "model/format.hpp"

#include <gmock/gmock.h>

#include "assay/error.hpp"

namespace assay::model {
namespace {

using testing::HasSubstr;

TEST(Format, WhatIsNotReadComesWithTheWayOut) {
  for (const auto& [name, advice] : {std::pair{"m.keras", "model.export"}, {"m.pth", "torch.onnx.export"}}) {
    const std::filesystem::path path = name;
    try {
      refuse_unreadable(path);
      ADD_FAILURE() << name;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidModel);
      EXPECT_THAT(e.what(), HasSubstr(advice));
    }
  }
}

TEST(Format, WhatIsReadIsNotRefused) {
  for (const char* name : {"m.onnx", "m.pb", "m", "keras"}) EXPECT_NO_THROW(refuse_unreadable(name)) << name;
}

TEST(Format, MembersOfAnEnsembleAreOnnx) {
  EXPECT_EQ(why_no_member(Format::kOnnx), "");
  for (const Format format : {Format::kSavedModel, Format::kGraphDef}) {
    EXPECT_THAT(why_no_member(format), testing::AllOf(HasSubstr(describe(format)), HasSubstr("an ONNX file")));
  }
}

}  // namespace
}  // namespace assay::model
