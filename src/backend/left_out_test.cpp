// Backends that a build may leave out: what is said of each, and that the table is of what CMake leaves out.
#include "backend/left_out.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "backend/backend.hpp"
#include "base/file.hpp"

namespace assay::backend {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<std::string> names_left_out(const std::vector<std::string>& there) {
  std::vector<std::string> names;
  for (const Optional* o : left_out(there)) names.emplace_back(o->name);
  return names;
}

TEST(LeftOut, AreThoseThatMayBeAndAreNotThere) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_left_out({}), (Names{"mlir", "tensorrt"}));
  EXPECT_EQ(names_left_out({"null", "mlir"}), (Names{"tensorrt"}));
  EXPECT_EQ(names_left_out({"mlir", "tensorrt"}), Names{});
}

TEST(LeftOut, SayWhatToDo) {
  for (const auto& [name, what] : {std::pair{"mlir", "`make setup WITH=mlir`"}, {"tensorrt", "TENSORRT_ROOT"}}) {
    const Optional* found = find_optional(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_THAT(why_left_out(*found), AllOf(HasSubstr(std::string("this build of Assay is without ") + name + ": "),
                                            HasSubstr(what), HasSubstr("then build again")));
  }
  for (const char* other : {"null", "tensorflow", "mli", ""}) EXPECT_EQ(find_optional(other), nullptr) << other;
}

/// A plugin's CMakeLists.txt leaves it out by returning.
TEST(LeftOut, AreTheBackendsWhoseBuildMayReturnEarly) {
  for (const auto& entry : std::filesystem::directory_iterator(ASSAY_SOURCE_DIR "/backends")) {
    if (!entry.is_directory()) continue;
    const std::string build = read_file(entry.path() / "CMakeLists.txt");
    const std::string name = entry.path().filename();
    EXPECT_EQ(build.find("  return()\n") != std::string::npos, find_optional(name) != nullptr) << name;
  }
}

TEST(LeftOut, AskedForByNameIsNoMisspelling) {
  const std::vector<std::string> there = {"onnxruntime", "null"};
  EXPECT_EQ(why_none("mlir", there), why_left_out(*find_optional("mlir")));
  EXPECT_EQ(why_none("nul", there), "there is no backend 'nul'; did you mean 'null'?");
  EXPECT_THAT(why_none("mlr", there), HasSubstr("there is no backend 'mlr'"));
}

/// As load_backend says it, where this build is without one.
TEST(LeftOut, OneThatIsLoadedByNameSaysSo) {
  for (const Optional* o : left_out(backend_names())) {
    try {
      (void)load_backend(std::string(o->name));
      FAIL() << o->name;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      EXPECT_EQ(e.message(), why_left_out(*o));
    }
  }
}

}  // namespace
}  // namespace assay::backend
