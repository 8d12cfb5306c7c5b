// The declarations of ov_api.hpp against the library that is really there.
#include "ov_api.hpp"

#include <array>
#include <cstring>

#include "framework_fixture.hpp"
#include "runtime.hpp"

namespace assay::openvino {
namespace {

TEST(OvApi, EveryFunctionIsThere) {
  Api api = open_runtime(test::real_host()).api;
  for_each_symbol(
      api, [](const char* symbol, const auto& function, bool /*required*/) { EXPECT_NE(function, nullptr) << symbol; });
}

TEST(OvApi, ElementTypesHaveTheNumbersDeclared) {
  const Runtime& runtime = open_runtime(test::real_host());
  // Sizes tell neighbours apart; the names of all are checked through models in session_test.
  const std::array<std::pair<ElementType, std::size_t>, 12> sizes = {{{ElementType::kBoolean, 1},
                                                                      {ElementType::kBf16, 2},
                                                                      {ElementType::kF16, 2},
                                                                      {ElementType::kF32, 4},
                                                                      {ElementType::kF64, 8},
                                                                      {ElementType::kI8, 1},
                                                                      {ElementType::kI16, 2},
                                                                      {ElementType::kI32, 4},
                                                                      {ElementType::kI64, 8},
                                                                      {ElementType::kU8, 1},
                                                                      {ElementType::kU16, 2},
                                                                      {ElementType::kU64, 8}}};
  std::array<double, 4> memory{};
  std::int64_t axis = 4;
  for (const auto& [type, size] : sizes) {
    ov_tensor* tensor = nullptr;
    ASSERT_EQ(runtime.api.tensor_create_from_host_ptr(static_cast<int>(type), {1, &axis}, memory.data(), &tensor), kOk);
    std::size_t bytes = 0;
    ASSERT_EQ(runtime.api.tensor_get_byte_size(tensor, &bytes), kOk);
    EXPECT_EQ(bytes, 4 * size) << static_cast<int>(type);
    ov_shape shape{};
    ASSERT_EQ(runtime.api.tensor_get_shape(tensor, &shape), kOk);
    EXPECT_EQ(shape.rank, 1);
    EXPECT_EQ(shape.dims[0], 4);
    runtime.api.shape_free(&shape);
    void* data = nullptr;
    ASSERT_EQ(runtime.api.tensor_data(tensor, &data), kOk);
    EXPECT_EQ(data, memory.data());
    runtime.api.tensor_free(tensor);
  }
}

TEST(OvApi, TheVersionIsKnownAndOneLibraryIsOpenPerProcess) {
  const Runtime& runtime = open_runtime(test::real_host());
  EXPECT_GE(std::atoi(runtime.version.c_str()), 2026) << runtime.version;
  EXPECT_EQ(&open_runtime(test::real_host()), &runtime);
  kit::Host same;  // by another way of writing its path
  const std::size_t name = runtime.library.rfind('/') + 1;
  same.library = runtime.library.substr(0, name) + "./" + runtime.library.substr(name);
  EXPECT_EQ(&open_runtime(same), &runtime);
  kit::Host other;
  other.library = "/elsewhere/libopenvino_c.so";
  try {
    open_runtime(other);
    FAIL();
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.code(), ASSAY_UNAVAILABLE);
    EXPECT_NE(std::strstr(e.what(), "already"), nullptr) << e.what();
  }
}

}  // namespace
}  // namespace assay::openvino
