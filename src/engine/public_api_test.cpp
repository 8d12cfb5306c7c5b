// libassay.so as a user has it: the public headers, nothing of src/.

#include <gtest/gtest.h>
#include <assay/assay.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace {

TEST(PublicApi, ErrorsCrossTheLibrarysEdge) {
  try {
    assay::load("/nonexistent/model.onnx", {.backend = "null"});
    FAIL() << "a model that is not there was loaded";
  } catch (const assay::Error& e) {
    EXPECT_EQ(e.code(), assay::ErrorCode::kIo);
    EXPECT_NE(std::string(e.what()).find("/nonexistent/model.onnx"), std::string::npos);
  }
}

TEST(PublicApi, ValuesAndFolders) {
  assay::Tensor t(assay::DType::kFloat32, {2, 3});
  EXPECT_EQ(assay::to_string(t.shape()), "2x3");
  EXPECT_EQ(t.bytes(), 24U);
  EXPECT_STREQ(assay::to_string(assay::DType::kFloat16), "float16");
  EXPECT_FALSE(assay::default_cache_folder().empty());
  EXPECT_TRUE(std::string(assay::version()).find('.') != std::string::npos);
}

/// Lines of a command's output.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string all;
  std::array<char, 4096> chunk;
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe.get())) all.append(chunk.data(), n);
  return all;
}

TEST(PublicApi, NothingElseIsExported) {
  const std::string symbols =
      output_of("nm --dynamic --defined-only --demangle " ASSAY_LIBRARY " | sed 's/^[0-9a-f]* *[A-Za-z] //'");
  EXPECT_NE(symbols.find("assay::load("), std::string::npos) << symbols;
  EXPECT_NE(symbols.find("typeinfo for assay::Error"), std::string::npos) << symbols;
  std::size_t begin = 0;
  for (std::size_t end; (end = symbols.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = symbols.substr(begin, end - begin);
    EXPECT_TRUE(line.starts_with("assay::") || line.find(" for assay::") != std::string::npos) << line;
    for (const char* inner : {"assay::engine", "assay::backend", "assay::model", "assay::onnx", "assay::base"}) {
      EXPECT_FALSE(line.starts_with(inner)) << line;
    }
  }
}

}  // namespace
