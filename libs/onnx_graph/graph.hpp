#pragma once
// The one reader of ONNX in the house: what is in a model file, checked and within limits, without protobuf in sight.
// Contents of weights stay in the mapped file until somebody asks for them.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace assay::onnx_graph {

/// TensorProto.DataType; the numbers are the format's, and those of assay::DType where that has the type.
enum class ElementType : std::int32_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBFloat16 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E4M3FNUZ = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2FNUZ = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
};
/// "float32", "int4" …; "element type 99" for what is not known here.
std::string to_string(ElementType type);
/// Bits of one element; 0 for strings and for types that are not known here.
int bits_of(ElementType type);
bool is_floating(ElementType type);
bool is_integer(ElementType type);

/// One axis: a size, or -1 and perhaps a name ("N", "height") where it is free.
struct Dimension {
  std::int64_t size = -1;
  std::string name;
  [[nodiscard]] bool known() const noexcept { return size >= 0; }
  friend bool operator==(const Dimension&, const Dimension&) = default;
};
using Dimensions = std::vector<Dimension>;
/// "N x 3 x 224 x 224"; "?" for a free axis without a name; "scalar".
std::string to_string(const Dimensions& dimensions);

struct TensorType {
  ElementType element = ElementType::kUndefined;
  std::optional<Dimensions> shape;  ///< empty: not even the rank is known
};

/// A declared input, output or intermediate value.
struct ValueInfo {
  std::string name;
  std::string kind = "tensor";  ///< or "sequence", "map", "optional", "sparse tensor", "unknown"
  TensorType type;              ///< of a tensor
};

/// Contents of a tensor: a view into the mapped file where they lie there as they are, else decoded. Not aligned.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::span<const std::byte> view) : view_(view) {}
  explicit Bytes(std::vector<std::byte> own) : own_(std::move(own)), view_(own_) {}
  Bytes(Bytes&&) noexcept = default;  // a moved vector keeps its memory: the view stays true
  Bytes& operator=(Bytes&&) noexcept = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() = default;
  [[nodiscard]] std::span<const std::byte> span() const noexcept { return view_; }

 private:
  std::vector<std::byte> own_;
  std::span<const std::byte> view_;
};

/// A constant: an initializer, or a tensor in an attribute. A view: valid as long as its Model.
struct Tensor {
  /// How the file holds the contents.
  enum class Encoding { kRaw, kFloats, kInt32s, kInt64s, kDoubles, kUint64s, kStrings };

  std::string name;
  ElementType type = ElementType::kUndefined;
  std::vector<std::int64_t> dims;
  std::int64_t elements = 1;
  Encoding encoding = Encoding::kRaw;
  bool external = false;                           ///< the contents lie in a file beside the model
  std::vector<std::span<const std::byte>> chunks;  ///< of the file, in order; payloads of the encoding

  [[nodiscard]] std::uint64_t byte_size() const;  ///< of the contents; 0 for strings
  /// Little endian, last axis fastest. Throws Error(kUnsupported) for strings.
  [[nodiscard]] Bytes bytes() const;
  /// Integers (also bool) widened. Throws Error(kUnsupported) for other types.
  [[nodiscard]] std::vector<std::int64_t> integers() const;
  /// Floating-point values of 16 bits and more, rounded to float. Throws Error(kUnsupported) for other types.
  [[nodiscard]] std::vector<float> floats() const;
};

struct Graph;

/// monostate: of a kind that is not kept (sparse tensors, types).
using AttributeValue =
    std::variant<std::monostate, float, std::int64_t, std::string, Tensor, std::shared_ptr<const Graph>,
                 std::vector<float>, std::vector<std::int64_t>, std::vector<std::string>, std::vector<Tensor>,
                 std::vector<std::shared_ptr<const Graph>>>;

struct Attribute {
  std::string name;
  AttributeValue value;
  std::span<const std::byte> bytes{};  ///< the whole message as the file has it: a view
};

struct Node {
  std::string name;
  std::string op_type;
  std::string domain;                ///< "" for ONNX's own operators ("ai.onnx" is read as "")
  std::vector<std::string> inputs;   ///< "" where an optional one is left out
  std::vector<std::string> outputs;  ///< likewise
  std::vector<Attribute> attributes;

  [[nodiscard]] bool has_input(std::size_t i) const { return i < inputs.size() && !inputs[i].empty(); }
  /// nullptr: there is none, or it is of another type.
  template <class T>
  [[nodiscard]] const T* attribute(std::string_view attribute_name) const {
    for (const Attribute& a : attributes) {
      if (a.name == attribute_name) return std::get_if<T>(&a.value);
    }
    return nullptr;
  }
  template <class T>
  [[nodiscard]] T attribute_or(std::string_view attribute_name, const T& fallback) const {
    const T* found = attribute<T>(attribute_name);
    return found != nullptr ? *found : fallback;
  }
};
/// For messages: `Conv node "conv1"`.
std::string label(const Node& node);

/// Nodes are in topological order, every value has one definition, and every used value has one.
struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<ValueInfo> inputs;  ///< as declared: before IR version 4 they name the initializers too
  std::vector<ValueInfo> outputs;
  std::vector<ValueInfo> values;  ///< declared intermediate ones
  std::vector<Tensor> initializers;
  std::vector<Tensor> sparse_initializers;  ///< the values that are stored of each, in one axis
  std::vector<std::string> captured;        ///< of a subgraph: values that it takes from around it
};

/// What a file may ask of us. The defaults are far above any real network.
struct Limits {
  std::uint64_t file_bytes = (UINT64_C(1) << 31) - 1;   ///< protobuf's own; weights beyond it are external data
  std::uint64_t structure_bytes = UINT64_C(512) << 20;  ///< memory for everything but weights
  std::uint64_t nodes = 1'000'000;                      ///< subgraphs' too
  std::uint64_t initializers = 1'000'000;
  std::uint64_t external_files = 10'000;
  std::uint64_t name_bytes = 4096;  ///< of a value, node, operator, attribute
  std::uint64_t rank = 64;
  int depth = 16;  ///< of subgraphs within subgraphs
};

/// Keeps mapped files alive.
class Storage;

struct Model {
  std::int64_t ir_version = 0;
  std::string producer;                        ///< name and version
  std::map<std::string, std::int64_t> opsets;  ///< by domain; "" is ONNX's own
  std::vector<std::string> functions;          ///< "domain.name" of local ones; their bodies are not kept
  Graph graph;
  std::vector<std::filesystem::path> external_files;  ///< each once, in the order of first use
  bool has_sparse_initializers = false;               ///< subgraphs' too
  std::shared_ptr<const Storage> storage;

  /// Version of ONNX's own operators.
  [[nodiscard]] std::int64_t opset() const;
};

/// A tensor that is a file of its own, as ONNX's test data are.
struct TensorFile {
  Tensor tensor;
  std::shared_ptr<const Storage> storage;
};

/// Throws Error(kInvalidModel) naming what was found, or Error(kIo).
Model read(const std::filesystem::path& path, const Limits& limits = {});
/// The same of bytes in memory, which must outlive the Model. Without a folder external data is refused.
Model parse(std::span<const std::byte> bytes, const std::filesystem::path& folder = {}, const Limits& limits = {});
/// A file that is one TensorProto: what `read` throws, and Error(kUnsupported) where it holds strings.
TensorFile read_tensor_file(const std::filesystem::path& path, const Limits& limits = {});
/// The same of bytes in memory, which must outlive the TensorFile. External data is refused.
TensorFile parse_tensor(std::span<const std::byte> bytes, const Limits& limits = {});

}  // namespace assay::onnx_graph
