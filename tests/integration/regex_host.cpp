// regex_host MODEL BACKEND: a program as users write them. It uses std::regex, and so has copies of libstdc++'s
// variables; an engine must find those, not the originals (docs/adr/0004).
#include <assay/assay.hpp>
#include <cstdio>
#include <regex>

int main(int argc, char** argv) try {
  if (argc != 3 || !std::regex_match(argv[1], std::regex(".*[.]onnx", std::regex::icase))) return 2;
  assay::Session session = assay::load(argv[1], {.backend = argv[2]});
  assay::Shape shape = session.inputs()[0].shape;
  shape[0] = 1;
  assay::Tensor x(assay::DType::kFloat32, shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x.as<float>()[i] = 1;
  std::printf("answers %s\n", assay::to_string(session.predict(x.view())[0].shape()).c_str());
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
