#pragma once
// A folder of small models, and ensembles of them, over the plugins of the tests: for tests of how members are loaded.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "assay/ensemble.hpp"
#include "base/file.hpp"
#include "engine/testing/sessions.hpp"
#include "onnx_graph/test_model.hpp"
#include "support/environment.hpp"

namespace assay::engine {

using Options = std::map<std::string, std::string>;

class LoadingTest : public testing::Test {
 protected:
  LoadingTest() {
    write("spied.onnx", -1, onnx::TensorProto::INT64);
    write("free.onnx", -1, onnx::TensorProto::FLOAT);
    write("fixed.onnx", 2, onnx::TensorProto::FLOAT);
  }
  void write(const char* file, std::int64_t batch, std::int32_t type) const {
    onnx_graph::TestModel m;
    m.input("x", {batch, 4}).weights("w", {4, 6}).node("MatMul", {"x", "w"}, {"m"});
    m.node("Cast", {"m"}, {"y"}, {{"to", std::int64_t{type}}}).output("y", {batch, 6}, type);
    write_file_atomically(folder_.path() / file, m.bytes());
  }
  [[nodiscard]] Member member(const std::string& name, const char* file, Options options = {}) const {
    return {.model = folder_.path() / file, .name = name, .options = std::move(options)};
  }
  /// Members of sessions of their own, but for where they are `alike`.
  [[nodiscard]] Ensemble spied(const char* strategy, int members, bool alike = false, Options options = {}) const {
    Ensemble e{.members = {}, .combine = Combine::kMembers, .strategy = strategy};
    for (int m = 0; m < members; ++m) {
      options["delay_us"] = std::to_string(alike ? 0 : m);
      e.members.push_back(member(std::string(1, static_cast<char>('a' + m)), "spied.onnx", options));
    }
    return e;
  }
  /// One file, so alike by its FLOPs, and far from it on the engine.
  [[nodiscard]] Ensemble uneven() const {
    return {.members = {member("light", "free.onnx", {{"compute_ms", "1"}}),
                        member("heavy", "free.onnx", {{"compute_ms", "100"}})},
            .strategy = "concurrent"};
  }

  TemporaryFolder folder_;
  ScopedVariable plugins_{"ASSAY_BACKEND_PATH", std::string(ASSAY_BUILD_DIR) + "/tests/plugins"};
};

}  // namespace assay::engine
