// predict MODEL.onnx [BACKEND]: loads a model of one float input, predicts 20 samples in batches of 8.
#include <assay/assay.hpp>
#include <cstdio>

int main(int argc, char** argv) try {
  if (argc < 2) return std::fprintf(stderr, "usage: predict MODEL.onnx [BACKEND]\n"), 2;
  assay::Session session = assay::load(argv[1], {.backend = argc > 2 ? argv[2] : "onnxruntime", .batch_size = 8});

  assay::Shape shape = session.inputs()[0].shape;
  shape[0] = 20;
  assay::Tensor x(assay::DType::kFloat32, shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x.as<float>()[i] = static_cast<float>(i % 7);

  const std::vector<assay::Tensor> y = session.predict(x.view());
  std::printf("%s: %s -> %s, first value %g\n", session.in_force().at("version").c_str(),
              assay::to_string(x.shape()).c_str(), assay::to_string(y[0].shape()).c_str(),
              static_cast<double>(y[0].as<float>()[0]));
} catch (const assay::Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
