// own_protobuf MODEL.onnx BACKEND…: a program that links libprotobuf.so itself and reads the model with it, before and
// after engines have been loaded. Assay's own protobuf is inside libassay.so and shows no symbol, so the two never
// meet.
#include <assay/assay.hpp>
#include <cstdio>
#include <fstream>

#include "onnx.pb.h"

namespace {

int nodes_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  onnx::ModelProto model;
  if (!model.ParseFromIstream(&file)) throw assay::Error(assay::ErrorCode::kInvalidModel, "cannot be parsed", path);
  return model.graph().node_size();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) return std::fprintf(stderr, "usage: own_protobuf MODEL.onnx BACKEND…\n"), 2;
  std::printf("%d nodes by our own protobuf\n", nodes_of(argv[1]));
  for (int i = 2; i < argc; ++i) {
    assay::Session session = assay::load(argv[1], {.backend = argv[i]});
    assay::Shape shape = session.inputs()[0].shape;
    shape[0] = 1;
    assay::Tensor x(assay::DType::kFloat32, shape);
    for (std::int64_t k = 0; k < x.size(); ++k) x.as<float>()[k] = 1;
    std::printf("%s answers %s\n", argv[i], assay::to_string(session.predict(x.view())[0].shape()).c_str());
  }
  std::printf("%d nodes still\n", nodes_of(argv[1]));
} catch (const assay::Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
