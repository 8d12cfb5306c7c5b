// examples/out_of_tree_backend, built on its own against the public headers, found through ASSAY_BACKEND_PATH.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "backend/backend.hpp"
#include "base/file.hpp"

namespace assay::backend {
namespace {

TEST(OutOfTree, APluginThatKnowsOnlyTheHeadersIsFoundAndRuns) {
  const std::vector<std::string> names = backend_names();
  ASSERT_NE(std::find(names.begin(), names.end(), "echo"), names.end());
  const Backend echo = load_backend("echo");
  EXPECT_TRUE(echo.probe().available);
  const TemporaryFolder folder;
  OpenRequest request;
  request.model = folder.path() / "model";
  EXPECT_THROW((void)echo.open(request), Error);
  std::ofstream(request.model) << "x";
  request.options["gain"] = "3";
  BackendSession session = echo.open(request);
  Slot slot = session.open_slot(std::vector<Shape>{{2, 4}});
  float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y[8] = {};
  const std::int64_t shape[] = {2, 4};
  const assay_tensor in{x, sizeof x, ASSAY_FLOAT32, ASSAY_HOST, 2, 0, shape, nullptr};
  assay_tensor out{y, sizeof y, ASSAY_FLOAT32, ASSAY_HOST, 2, 0, shape, nullptr};
  slot.submit({&in, 1}, {&out, 1}, nullptr, nullptr);
  slot.wait({&out, 1}, nullptr);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(y[i], 3 * x[i]);
}

}  // namespace
}  // namespace assay::backend
