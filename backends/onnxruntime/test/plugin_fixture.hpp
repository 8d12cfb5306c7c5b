#pragma once
// The plugin as a host sees it: through its table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "assay/backend_abi.h"
#include "onnx_bytes.hpp"
#include "temporary_folder.hpp"

extern "C" const assay_backend_table* assay_backend_query(std::uint32_t host_abi_version);

namespace assay::ort {

/// Folders in which the tests look for the framework: ASSAY_ONNXRUNTIME_PATH, then the clone's and build tree's .deps.
inline std::vector<assay_search_root> test_roots() {
  static const std::string kSource = std::string(ASSAY_SOURCE_DIR) + "/.deps/python";
  static const std::string kBuild = std::string(ASSAY_BUILD_DIR) + "/.deps/python";
  std::vector<assay_search_root> roots;
  if (const char* path = std::getenv("ASSAY_ONNXRUNTIME_PATH")) roots.push_back({path, "ASSAY_ONNXRUNTIME_PATH"});
  roots.push_back({kSource.c_str(), "clone"});
  roots.push_back({kBuild.c_str(), "build tree"});
  return roots;
}

class PluginTest : public ::testing::Test {
 protected:
  using Settings = std::map<std::string, std::string>;

  void TearDown() override {
    for (assay_slot* slot : slots_) table().close(session_, slot);
    close_session();
  }

  static const assay_backend_table& table() { return *assay_backend_query(ASSAY_ABI_VERSION); }

  assay_host host() {
    static const std::vector<assay_search_root> kRoots = test_roots();
    return {sizeof(assay_host), ASSAY_ABI_VERSION, kRoots.data(), kRoots.size(), nullptr, on_log, this, nullptr, 0};
  }

  std::string write_model(const std::string& bytes, const std::string& name = "model.onnx") {
    const std::string path = (folder_.path() / name).string();
    onnx_bytes::write(path, bytes);
    return path;
  }

  assay_open_request request(const std::string& path) {
    path_ = path;
    assay_open_request r{};
    r.struct_size = sizeof r;
    r.threads = 2;
    r.model_path = path_.c_str();
    r.device = "cpu";
    return r;
  }

  assay_status try_open(assay_open_request r, const Settings& options = {}) {
    std::vector<assay_setting> settings;
    for (const auto& [key, value] : options) settings.push_back({key.c_str(), value.c_str()});
    r.options = settings.data();
    r.option_count = settings.size();
    const assay_host h = host();
    return table().open(&h, &r, &session_, &error_);
  }

  void open(const assay_open_request& r, const Settings& options = {}) {
    ASSERT_EQ(try_open(r, options), ASSAY_OK) << error_.message;
    info_ = {};
    info_.struct_size = sizeof info_;
    ASSERT_EQ(table().describe(session_, &info_, &error_), ASSAY_OK) << error_.message;
  }

  void close_session() {
    if (session_ != nullptr) table().close(session_, nullptr);
    session_ = nullptr;
    slots_.clear();
  }

  std::string in_force(const std::string& key) const {
    for (std::size_t i = 0; i < info_.in_force_count; ++i) {
      if (key == info_.in_force[i].key) return info_.in_force[i].value;
    }
    return "(not reported)";
  }

  assay_status try_slot(const std::vector<std::vector<std::int64_t>>& shapes, assay_slot** slot) {
    std::vector<assay_fixed_shape> fixed;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const char* name = i < info_.input_count ? info_.inputs[i].name : "";
      fixed.push_back({name, static_cast<std::int32_t>(shapes[i].size()), 0, shapes[i].data()});
    }
    const assay_status status = table().slot_open(session_, fixed.data(), fixed.size(), slot, &error_);
    if (status == ASSAY_OK) slots_.push_back(*slot);
    return status;
  }

  assay_slot* slot(const std::vector<std::vector<std::int64_t>>& shapes) {
    assay_slot* opened = nullptr;
    EXPECT_EQ(try_slot(shapes, &opened), ASSAY_OK) << error_.message;
    return opened;
  }

  /// A tensor over `data`; `shape` must outlive it.
  template <class T>
  static assay_tensor tensor(std::vector<T>& data, const std::vector<std::int64_t>& shape,
                             assay_dtype dtype = ASSAY_FLOAT32) {
    return {data.data(),
            data.size() * sizeof(T),
            dtype,
            ASSAY_HOST,
            static_cast<std::int32_t>(shape.size()),
            0,
            shape.data(),
            nullptr};
  }
  static assay_tensor plugin_memory() { return {nullptr, 0, ASSAY_FLOAT32, ASSAY_HOST, 0, 0, nullptr, nullptr}; }

  assay_status run(assay_slot* s, const std::vector<assay_tensor>& inputs, std::vector<assay_tensor>& outputs,
                   assay_done_fn done = nullptr, void* user = nullptr) {
    const assay_status begun =
        table().submit(s, inputs.data(), inputs.size(), outputs.data(), outputs.size(), done, user, &error_);
    if (begun != ASSAY_OK) return begun;
    return table().wait(s, outputs.data(), outputs.size(), nullptr, &error_);
  }

  std::string message() const { return error_.message; }

  TemporaryFolder folder_;
  std::string path_;
  assay_session* session_ = nullptr;
  std::vector<assay_slot*> slots_;
  assay_session_info info_{};
  assay_error error_{sizeof(assay_error), ASSAY_OK, {}};
  std::mutex log_mutex_;
  std::vector<std::string> log_;

 private:
  static void on_log(void* user, assay_log_level /*level*/, const char* text) {
    auto* self = static_cast<PluginTest*>(user);
    const std::lock_guard lock(self->log_mutex_);
    self->log_.emplace_back(text);
  }
};

}  // namespace assay::ort
