// A whole backend in one file: its "model" is any file, and it answers its input times `gain`. A real one opens its
// framework in `probe` (kit::find_library, kit::open_library) and computes in `run`.
#include <assay/backend_kit.hpp>

#include <fstream>

namespace {

namespace kit = assay::kit;

class EchoSlot final : public kit::BlockingSlot {
 public:
  EchoSlot(const kit::TensorInfo& info, std::vector<std::int64_t> shape, float gain)
      : info_(info), shape_(std::move(shape)), gain_(gain) {}

 protected:
  void run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& /*timing*/) override {
    if (inputs.size() != 1 || outputs.size() != 1) throw kit::Failure(ASSAY_INVALID_ARGUMENT, "one input, one output");
    kit::check_tensor(info_, shape_, inputs[0]);
    const auto count = static_cast<std::size_t>(kit::element_count(shape_));
    if (outputs[0].data == nullptr) {
      memory_.resize(count);
      outputs[0].data = memory_.data();
    } else if (outputs[0].bytes < count * sizeof(float)) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT, "the output's memory is too small");
    }
    const auto* x = static_cast<const float*>(inputs[0].data);
    auto* y = static_cast<float*>(outputs[0].data);
    for (std::size_t i = 0; i < count; ++i) y[i] = gain_ * x[i];
    outputs[0] = {y, count * sizeof(float), ASSAY_FLOAT32, ASSAY_HOST, 2, 0, shape_.data(), nullptr};
  }

 private:
  kit::TensorInfo info_;
  std::vector<std::int64_t> shape_;
  float gain_;
  std::vector<float> memory_;
};

class EchoSession final : public kit::Session {
 public:
  explicit EchoSession(const kit::OpenRequest& request)
      : threads_(request.threads), gain_(std::stof(request.option("gain", "1"))) {}

  kit::Description describe() override {
    kit::Description d;
    d.inputs = {input_};
    d.outputs = {{"y", ASSAY_FLOAT32, true, {-1, 4}, {"batch", ""}}};
    d.in_force = {{"device", "cpu"},
                  {"precision", "f32"},
                  {"threads", std::to_string(threads_)},
                  {"streams", "1"},
                  {"version", "1.0"}};
    return d;
  }

  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override {
    if (shapes.size() != 1) throw kit::Failure(ASSAY_INVALID_ARGUMENT, "one input shape is needed");
    kit::check_shape(input_, shapes[0].shape);
    return std::make_unique<EchoSlot>(input_, shapes[0].shape, gain_);
  }

 private:
  kit::TensorInfo input_{"x", ASSAY_FLOAT32, true, {-1, 4}, {"batch", ""}};
  int threads_;
  float gain_;
};

class EchoBackend final : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return "echo"; }
  kit::Probe probe(const kit::Host& /*host*/) override {
    return {true, "", "1.0", "", "built in", {{"cpu", "any CPU", "any", 0}}};
  }
  std::span<const assay_option> options() override {
    static const assay_option kOptions[] = {
        {"gain", ASSAY_OPTION_REAL, 0, "1", -1000, 1000, nullptr, "what every element is multiplied by"}};
    return kOptions;
  }
  std::unique_ptr<kit::Session> open(const kit::OpenRequest& request) override {
    if (!std::ifstream(request.model_path))
      throw kit::Failure(ASSAY_INVALID_MODEL, "cannot read " + request.model_path);
    if (request.precision != ASSAY_PRECISION_F32) throw kit::Failure(ASSAY_UNSUPPORTED, "echo computes in f32 only");
    return std::make_unique<EchoSession>(request);
  }
};

}  // namespace

ASSAY_BACKEND(EchoBackend)
