#include "settings.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace assay::mlir_backend {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Dump : public testing::Test {
 protected:
  Dump() { std::filesystem::create_directory(folder_); }
  ~Dump() override { std::filesystem::remove_all(folder_); }

  /// What is said of the folder; empty: it is taken.
  [[nodiscard]] static std::string refusal(const std::string& folder) {
    kit::OpenRequest request;
    request.options["dump"] = folder;
    try {
      EXPECT_EQ(settings_of(request).dump, folder);
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_INVALID_ARGUMENT);
      return e.what();
    }
    return "";
  }

  const std::string folder_ = testing::TempDir() + "assay_dump_" + std::to_string(::getpid());
};

TEST_F(Dump, GoesIntoAFolderThatExists) {
  EXPECT_EQ(refusal(folder_), "");
  EXPECT_EQ(refusal(""), "");
}

TEST_F(Dump, AFolderThatIsMissingIsNamedWithTheOption) {
  EXPECT_THAT(refusal(folder_ + "/none"),
              AllOf(HasSubstr("mlir.dump"), HasSubstr("'" + folder_ + "/none'"), HasSubstr("does not exist")));
  EXPECT_THAT(refusal("none"), HasSubstr("'" + std::filesystem::current_path().string() + "/none'"));
}

TEST_F(Dump, AFileIsNoFolder) {
  std::ofstream(folder_ + "/file") << "a";
  EXPECT_THAT(refusal(folder_ + "/file"), AllOf(HasSubstr("mlir.dump"), HasSubstr("is no folder")));
}

TEST_F(Dump, AFolderThatIsNotTheUsersIsRefused) {
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_read);
  constexpr uid_t kNobody = 65534;
  const bool is_root = ::geteuid() == 0;  // who may write everywhere
  ASSERT_TRUE(!is_root || ::seteuid(kNobody) == 0);
  const std::string told = refusal(folder_);
  ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
  EXPECT_THAT(told, AllOf(HasSubstr("mlir.dump"), HasSubstr("cannot be written to")));
}

}  // namespace
}  // namespace assay::mlir_backend
