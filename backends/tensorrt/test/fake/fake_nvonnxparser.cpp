// A libnvonnxparser of ours: hands a model's text (fake_engine.hpp) to the fake network. Parsing ends at the first node
// that is not supported; supportsModelV2 tells of all.

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using nvonnxparser::ErrorCode;

class Error final : public nvonnxparser::IParserError {
 public:
  Error(ErrorCode code, int node, std::string name, std::string type, std::string text)
      : code_(code), node_(node), name_(std::move(name)), type_(std::move(type)), text_(std::move(text)) {}
  [[nodiscard]] ErrorCode code() const override { return code_; }
  [[nodiscard]] const char* desc() const override { return text_.c_str(); }
  [[nodiscard]] const char* file() const override { return ""; }
  [[nodiscard]] int line() const override { return 0; }
  [[nodiscard]] const char* func() const override { return nullptr; }
  [[nodiscard]] int node() const override { return node_; }
  [[nodiscard]] const char* nodeName() const override { return name_.c_str(); }
  [[nodiscard]] const char* nodeOperator() const override { return type_.c_str(); }
  [[nodiscard]] const char* const* localFunctionStack() const override { return nullptr; }
  [[nodiscard]] std::int32_t localFunctionStackSize() const override { return 0; }

 private:
  ErrorCode code_;
  int node_;
  std::string name_, type_, text_;
};

/// The fake reads no ONNX: a model whose ends are cast is one that was converted.
bool is_converted(std::string_view model) { return model.find("Cast") != std::string_view::npos; }

class Parser final : public nvonnxparser::IParser {
 public:
  explicit Parser(nvinfer1::INetworkDefinition& network) : network_(network) {}
  bool parseFromFile(const char* path, int /*verbosity*/) noexcept override {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    const std::string model = text.str();
    if (model == "broken") {
      errors_.emplace_back(ErrorCode::kMODEL_DESERIALIZE_FAILED, -1, "", "", "Failed to parse the ONNX model.");
    }
    read(model, true);
    if (!errors_.empty()) return false;
    network_.setName(model.c_str());
    return true;
  }
  bool supportsModelV2(const void* model, std::size_t size, const char* /*path*/) noexcept override {
    read({static_cast<const char*>(model), size}, false);
    return nodes_.empty();
  }
  [[nodiscard]] int getNbErrors() const noexcept override { return static_cast<int>(errors_.size()); }
  [[nodiscard]] const nvonnxparser::IParserError* getError(int index) const noexcept override {
    return &errors_[static_cast<std::size_t>(index)];
  }
  std::int64_t getNbSubgraphs() noexcept override { return nodes_.empty() ? 0 : 2; }
  bool isSubgraphSupported(std::int64_t index) noexcept override { return index == 0; }
  std::int64_t* getSubgraphNodes(std::int64_t /*index*/, std::int64_t& length) noexcept override {
    length = static_cast<std::int64_t>(nodes_.size());
    return nodes_.data();
  }

  /// Only what was converted to float16 comes this way, and it is one model.
  bool parse(const void* model, std::size_t size, const char* /*path*/) noexcept override {
    const std::string bytes(static_cast<const char*>(model), size);
    if (!is_converted(bytes)) return false;
    read(bytes, true);
    if (!errors_.empty()) return false;
    network_.setName("in x 2x4\nlayer cast f32\nlayer a f16\nlayer b f16\nout y 2x4\n");
    return true;
  }
  bool supportsOperator(const char* /*name*/) const noexcept override { return false; }
  void clearErrors() noexcept override { errors_.clear(); }
  const char* const* getUsedVCPluginLibraries(std::int64_t& /*count*/) const noexcept override { return nullptr; }
  void setFlags(nvonnxparser::OnnxParserFlags /*flags*/) noexcept override {}
  [[nodiscard]] nvonnxparser::OnnxParserFlags getFlags() const noexcept override { return 0; }
  void clearFlag(nvonnxparser::OnnxParserFlag /*flag*/) noexcept override {}
  void setFlag(nvonnxparser::OnnxParserFlag /*flag*/) noexcept override {}
  [[nodiscard]] bool getFlag(nvonnxparser::OnnxParserFlag /*flag*/) const noexcept override { return false; }
  const nvinfer1::ITensor* getLayerOutputTensor(const char* /*name*/, std::int64_t /*i*/) noexcept override {
    return nullptr;
  }
  bool loadModelProto(const void* /*m*/, std::size_t /*size*/, const char* /*path*/) noexcept override { return false; }
  bool loadInitializer(const char* /*name*/, const void* /*data*/, std::size_t /*size*/) noexcept override {
    return false;
  }
  bool parseModelProto() noexcept override { return false; }
  bool setBuilderConfig(const nvinfer1::IBuilderConfig* /*config*/) noexcept override { return false; }

 private:
  void read(const std::string& model, bool first_alone) {
    static constexpr std::string_view kConvertedAlone = "16";
    const bool converted = is_converted(model);
    std::istringstream lines(model);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string kind, type;
      int node = -1;
      words >> kind;
      if (converted && kind.ends_with(kConvertedAlone)) kind.resize(kind.size() - kConvertedAlone.size());
      if (kind != "bad" && kind != "worse") continue;
      words >> node >> type;
      nodes_.push_back(node);
      if (kind == "worse" || (first_alone && !errors_.empty())) continue;
      errors_.emplace_back(ErrorCode::kUNSUPPORTED_NODE, node, "n" + std::to_string(node), type, "no importer");
    }
  }

  nvinfer1::INetworkDefinition& network_;
  std::vector<Error> errors_;
  std::vector<std::int64_t> nodes_;
};

}  // namespace

extern "C" void* createNvOnnxParser_INTERNAL(void* network, void* /*logger*/, int /*version*/) noexcept {
  return new Parser(*static_cast<nvinfer1::INetworkDefinition*>(network));
}
