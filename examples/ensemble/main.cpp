// ensemble: two models, each on the engine that suits it, answer together. What loads them is as `assay bench
// tiny-resnet+tiny-densenet --strategy placed` prints it for the plan that it found; the files are to be in this
// folder.
#include <assay/ensemble.hpp>
#include <cstdio>

int main() try {
  // Its files: assay models make tiny-resnet,tiny-densenet
  assay::Session session =
      assay::load(assay::Ensemble{.members = {{.model = "tiny-resnet.onnx", .backend = "onnxruntime", .batch_size = 1},
                                              {.model = "tiny-densenet.onnx", .backend = "openvino"}},
                                  .strategy = "pipelined"},
                  {.batch_size = 8, .threads = 2});

  assay::Shape shape = session.inputs()[0].shape;
  shape[0] = 20;  // samples: any number, whatever the batch
  assay::Tensor x(assay::DType::kFloat32, shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x.as<float>()[i] = static_cast<float>(i % 7);

  const std::vector<assay::Tensor> y = session.predict(x.view());
  std::printf("the mean of both: %s -> %s, first value %g\n", assay::to_string(x.shape()).c_str(),
              assay::to_string(y[0].shape()).c_str(), static_cast<double>(y[0].as<float>()[0]));
} catch (const assay::Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
