// External data: read in place, and never from outside of the model's folder.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "onnx_graph/graph.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::onnx_graph {
namespace {

using testing::HasSubstr;

class ExternalTest : public testing::Test {
 protected:
  ExternalTest() {
    std::filesystem::create_directories(home_ / "sub");
    write_file_atomically(home_ / "w.bin", std::string("0123456789abcdefghij"));
    write_file_atomically(home_ / "sub" / "w.bin", std::string(16, 's'));
    write_file_atomically(folder_.path() / "secret.bin", std::string(16, 'x'));
  }
  std::filesystem::path write(const std::vector<std::pair<std::string, std::string>>& entries) {
    const std::string bytes = with_tensor([&](onnx::TensorProto& t) {
                                t.set_data_location(onnx::TensorProto::EXTERNAL);
                                for (const auto& [key, value] : entries) {
                                  auto* e = t.add_external_data();
                                  e->set_key(key);
                                  e->set_value(value);
                                }
                              }).bytes();
    write_file_atomically(home_ / "m.onnx", bytes);
    return home_ / "m.onnx";
  }
  std::string contents(const std::vector<std::pair<std::string, std::string>>& entries) {
    const Model model = read(write(entries));
    const Bytes bytes = model.graph.initializers.at(0).bytes();
    return {reinterpret_cast<const char*>(bytes.span().data()), bytes.span().size()};
  }
  std::string refusal(const std::vector<std::pair<std::string, std::string>>& entries) {
    try {
      contents(entries);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidModel);
      return e.message();
    }
    return "nothing was thrown";
  }
  TemporaryFolder folder_;
  std::filesystem::path home_ = folder_.path() / "home";
};

TEST_F(ExternalTest, IsReadInPlace) {
  EXPECT_EQ(contents({{"location", "w.bin"}, {"length", "16"}}), "0123456789abcdef");
  EXPECT_EQ(contents({{"location", "w.bin"}, {"offset", "4"}, {"length", "16"}}), "456789abcdefghij");
  EXPECT_EQ(contents({{"location", "w.bin"}, {"offset", "4"}}), "456789abcdefghij");
  EXPECT_EQ(contents({{"location", "sub/w.bin"}}), std::string(16, 's'));
  EXPECT_EQ(contents({{"location", "./w.bin"}, {"length", "16"}}), "0123456789abcdef");
}

TEST_F(ExternalTest, StaysWithinTheFolder) {
  EXPECT_THAT(refusal({{"location", "../secret.bin"}}), HasSubstr("leads out of the folder by \"..\""));
  EXPECT_THAT(refusal({{"location", "sub/../../secret.bin"}}), HasSubstr("leads out of the folder"));
  EXPECT_THAT(refusal({{"location", (folder_.path() / "secret.bin").string()}}), HasSubstr("is an absolute path"));
  std::filesystem::create_symlink(folder_.path() / "secret.bin", home_ / "link.bin");
  EXPECT_THAT(refusal({{"location", "link.bin"}}), HasSubstr("by a symbolic link"));
  std::filesystem::create_directory_symlink(folder_.path(), home_ / "up");
  EXPECT_THAT(refusal({{"location", "up/secret.bin"}}), HasSubstr("by a symbolic link"));
  std::filesystem::create_symlink("w.bin", home_ / "inside.bin");
  EXPECT_EQ(contents({{"location", "inside.bin"}, {"length", "16"}}), "0123456789abcdef");
}

TEST_F(ExternalTest, BadEntries) {
  EXPECT_THAT(refusal({}), HasSubstr("empty name"));
  EXPECT_THAT(refusal({{"location", "none.bin"}}), HasSubstr("cannot be opened"));
  EXPECT_THAT(refusal({{"location", "sub"}}), HasSubstr("not a regular file"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "18"}, {"length", "16"}}),
              HasSubstr("has 20 bytes, but 16 bytes at 18"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "18446744073709551615"}, {"length", "16"}}),
              HasSubstr("are asked for"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "-1"}}), HasSubstr("not a number"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"length", "12"}}), HasSubstr("should have 16 bytes of data but has 12"));
}

TEST_F(ExternalTest, FilesThatAreNoModels) {
  const auto code = [](const std::filesystem::path& path) {
    try {
      read(path);
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::kInternal;
  };
  write_file_atomically(home_ / "empty.onnx", std::string());
  EXPECT_EQ(code(home_ / "missing.onnx"), ErrorCode::kIo);
  EXPECT_EQ(code(home_), ErrorCode::kIo);
  EXPECT_EQ(code("/dev/null"), ErrorCode::kIo);
  EXPECT_EQ(code(home_ / "empty.onnx"), ErrorCode::kInvalidModel);
  EXPECT_EQ(code(home_ / "w.bin"), ErrorCode::kInvalidModel);
}

TEST(LetGo, BytesOfTheFileAreReadAgainAndOthersAreLeftAlone) {
  constexpr std::size_t kFloats = 1 << 20;
  const TemporaryFolder folder;
  TestModel m = relu();
  m.floats("w", {kFloats}, std::vector<float>(kFloats, 1.5F));
  write_file_atomically(folder.path() / "model.onnx", m.bytes());
  const Model model = read(folder.path() / "model.onnx");
  const Bytes contents = model.graph.initializers.at(0).bytes();
  const auto resident = [&] {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::ifstream status("/proc/self/statm");
    std::size_t all = 0, here = 0, shared = 0;
    status >> all >> here >> shared;
    return shared * page;
  };
  std::vector<std::byte> copy(contents.span().begin(), contents.span().end());
  const std::size_t before = resident();
  model.storage->let_go(contents.span());
  EXPECT_LE(resident() + kFloats * sizeof(float) / 2, before);
  EXPECT_TRUE(std::equal(copy.begin(), copy.end(), contents.span().begin()));
  model.storage->let_go(copy);
  EXPECT_EQ(copy.back(), contents.span().back());
}

}  // namespace
}  // namespace assay::onnx_graph
