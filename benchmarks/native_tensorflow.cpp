// TensorFlow: one session over the translated graph; as many threads as batches outstanding, each of which runs the
// next batch.
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "native.hpp"
#include "tensorflow/settings.hpp"
#include "tensorflow/tf_api.hpp"

namespace assay::bench {
namespace {

using namespace assay::tensorflow;  // NOLINT(google-build-using-namespace): the C interface

bool is_true(const NativeSettings& s, const char* key) { return s.in_force.at(key) == "true"; }

/// The session's, as it reads them back.
std::string config_of(const NativeSettings& s) {
  Settings t;
  t.xla = s.in_force.at("xla") != "false";
  if (t.xla) t.jit_level = std::stoi(s.in_force.at("jit_level"));
  t.intra_op_threads = std::stoi(s.in_force.at("intra_op_threads"));
  t.inter_op_threads = std::stoi(s.in_force.at("inter_op_threads"));
  t.remapper = is_true(s, "remapper");
  t.constant_folding = is_true(s, "constant_folding");
  t.grappler = is_true(s, "grappler");
  t.few_passes = s.in_force.at("passes") == "few";
  t.bf16 = s.in_force.at("precision") == "bf16";
  for (const LayoutConversion c : {LayoutConversion::kToChannelsLast, LayoutConversion::kToChannelsFirst}) {
    if (s.in_force.at("layout_conversion") == to_string(c)) t.conversion = c;
  }
  return config_proto(t);
}

class TensorFlowLoop final : public NativeLoop {
 public:
  explicit TensorFlowLoop(const NativeSettings& s)
      : settings_(s), api_(resolve(open_native(s.library), s.library.c_str())), status_(api_.new_status()) {
    graph_ = api_.new_graph();
    const std::string bytes = read_file(s.graph);
    const TF_Buffer buffer{bytes.data(), bytes.size(), nullptr};
    TF_ImportGraphDefOptions* import = api_.new_import_graph_def_options();
    api_.graph_import_graph_def(graph_, &buffer, import, status_);
    check();
    api_.delete_import_graph_def_options(import);
    input_ = TF_Output{api_.graph_operation_by_name(graph_, "input_0"), 0};
    output_ = TF_Output{api_.graph_operation_by_name(graph_, "output_0"), 0};
    if (input_.operation == nullptr || output_.operation == nullptr)
      native_failure("the graph has no input_0, output_0");
    TF_SessionOptions* options = api_.new_session_options();
    const std::string config = config_of(s);
    api_.set_config(options, config.data(), config.size(), status_);
    check();
    session_ = api_.new_session(graph_, options, status_);
    check();
    api_.delete_session_options(options);
  }
  ~TensorFlowLoop() override {
    api_.close_session(session_, status_);
    api_.delete_session(session_, status_);
    api_.delete_graph(graph_);
    api_.delete_status(status_);
  }

  void predict(const float* x, float* y, int batches) override {
    std::atomic<int> next{0};
    const auto serve = [&] {
      for (int b = next++; b < batches; b = next++) run(x, y, b);
    };
    std::vector<std::thread> threads;
    for (int i = 1; i < settings_.in_flight; ++i) threads.emplace_back(serve);
    serve();
    for (std::thread& thread : threads) thread.join();
  }

 private:
  void check() const {
    if (api_.get_code(status_) != Code::kOk) native_failure(api_.message(status_));
  }
  void run(const float* x, float* y, int batch) {
    TF_Status* status = api_.new_status();
    const auto count = static_cast<std::size_t>(element_count(settings_.input_shape));
    TF_Tensor* in = api_.new_tensor(
        DataType::kFloat, settings_.input_shape.data(), static_cast<int>(settings_.input_shape.size()),
        const_cast<float*>(x) + static_cast<std::size_t>(batch) * count, count * sizeof(float),
        [](void*, std::size_t, void*) {}, nullptr);
    TF_Tensor* out = nullptr;
    api_.session_run(session_, nullptr, &input_, &in, 1, &output_, &out, 1, nullptr, 0, nullptr, status);
    if (api_.get_code(status) != Code::kOk) native_failure(api_.message(status));
    const auto answers = static_cast<std::size_t>(element_count(settings_.output_shape));
    std::memcpy(y + static_cast<std::size_t>(batch) * answers, api_.tensor_data(out), answers * sizeof(float));
    api_.delete_tensor(in);
    api_.delete_tensor(out);
    api_.delete_status(status);
  }

  NativeSettings settings_;
  Api api_;
  TF_Status* status_;
  TF_Graph* graph_ = nullptr;
  TF_Session* session_ = nullptr;
  TF_Output input_, output_;
};

}  // namespace

std::unique_ptr<NativeLoop> native_tensorflow(const NativeSettings& settings) {
  return std::make_unique<TensorFlowLoop>(settings);
}

}  // namespace assay::bench
