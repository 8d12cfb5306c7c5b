// Libraries that are missing, broken or too old; no TensorFlow is needed for these.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "backend.hpp"
#include "runtime.hpp"

namespace assay::tensorflow {
namespace {

using testing::HasSubstr;

class Library : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "assay_tensorflow_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] kit::Host host() const {
    kit::Host h;
    h.roots.emplace_back(folder_, "test");
    return h;
  }
  std::string folder_;
};

TEST_F(Library, NoneIsUnavailableWithAdvice) {
  const kit::Probe probe = TensorFlowBackend().probe(host());
  EXPECT_FALSE(probe.available);
  EXPECT_THAT(probe.reason, HasSubstr("assay setup tensorflow"));
  EXPECT_THAT(probe.reason, HasSubstr("ASSAY_TENSORFLOW_PATH"));
}

TEST_F(Library, ABrokenOneIsUnavailableAndNamed) {
  std::filesystem::create_directories(folder_ + "/tensorflow");
  const std::string library = folder_ + "/tensorflow/libtensorflow_cc.so.2";
  std::ofstream(library) << "not a library";
  const kit::Probe probe = TensorFlowBackend().probe(host());
  EXPECT_FALSE(probe.available);
  EXPECT_THAT(probe.reason, HasSubstr(library));
}

TEST_F(Library, AnotherLibraryIsSaidToLackTheFunctions) {
  kit::Host other;
  other.library = "libm.so.6";
  const kit::Probe probe = TensorFlowBackend().probe(other);
  EXPECT_FALSE(probe.available);
  EXPECT_THAT(probe.reason, HasSubstr("TF_NewGraph"));
  EXPECT_THAT(probe.reason, HasSubstr("libm.so.6"));
}

TEST(Version, OldOnesAreRefusedByName) {
  EXPECT_NO_THROW(check_version("2.21.0", "lib"));
  EXPECT_NO_THROW(check_version("3.0.0", "lib"));
  for (const char* version : {"2.11.1", "1.15.0", "", "nonsense"}) {
    try {
      check_version(version, "/there/libtensorflow_cc.so.2");
      ADD_FAILURE() << version << " was taken";
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_UNAVAILABLE);
      EXPECT_THAT(e.what(), HasSubstr("/there/libtensorflow_cc.so.2"));
      EXPECT_THAT(e.what(), HasSubstr("2.12"));
    }
  }
}

TEST(Failures, AreClassifiedByTensorFlowsCode) {
  EXPECT_EQ(classify(Code::kResourceExhausted, false), ASSAY_OUT_OF_MEMORY);
  EXPECT_EQ(classify(Code::kUnimplemented, false), ASSAY_UNSUPPORTED);
  EXPECT_EQ(classify(Code::kInvalidArgument, false), ASSAY_FRAMEWORK);
  EXPECT_EQ(classify(Code::kInvalidArgument, true), ASSAY_INVALID_MODEL);
}

}  // namespace
}  // namespace assay::tensorflow
