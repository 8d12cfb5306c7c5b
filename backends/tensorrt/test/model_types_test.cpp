// Types of a model's inputs and outputs, which are seen before the parser is asked.
#include "model_types.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "assay/backend_kit.hpp"

namespace assay::tensorrt {
namespace {

constexpr int kFloat32 = 1, kFloat64 = 11;

/// A message within another: protobuf's key for field `number`, the length, the bytes. All are short.
std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}
std::string value(int number, int integer) { return {static_cast<char>(number << 3), static_cast<char>(integer)}; }

/// Of ONNX: y = Identity(x), each of two elements.
std::string identity(int input_type, int output_type) {
  const std::string shape = field(1, value(1, 2));
  const auto info = [&](const char* name, int type) {
    return field(1, name) + field(2, field(1, value(1, type) + field(2, shape)));
  };
  const std::string node = field(1, "x") + field(2, "y") + field(4, "Identity");
  const std::string graph =
      field(1, node) + field(2, "g") + field(11, info("x", input_type)) + field(12, info("y", output_type));
  return value(1, 8) + field(8, value(2, 17)) + field(7, graph);
}

TEST(ModelTypes, InFloat64AreRefusedByName) {
  std::string folder = testing::TempDir() + "assay_tensorrt_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/model.onnx";
  struct Row {
    std::string model, says;  // nothing: taken
  };
  const Row rows[] = {{identity(kFloat32, kFloat32), ""},
                      {identity(kFloat64, kFloat32), "the input 'x' is float64"},
                      {identity(kFloat32, kFloat64), "the output 'y' is float64"},
                      {"not ONNX at all", ""},
                      {"", ""}};
  for (const Row& row : rows) {
    std::ofstream(path, std::ios::binary) << row.model;
    std::string said;
    try {
      check_model_types(path);
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_UNSUPPORTED);
      said = e.what();
    }
    EXPECT_EQ(said.empty(), row.says.empty()) << said;
    EXPECT_THAT(said, testing::HasSubstr(row.says));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace assay::tensorrt
