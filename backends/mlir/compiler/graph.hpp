#pragma once
// What a model is between import and kernels: few kinds of node, every shape known. Axes are in ONNX's order.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "expression.hpp"

namespace assay::compiler {

/// What cannot be compiled, in words for the user.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Shape = std::vector<std::int64_t>;
/// Product of the axes; 1 for a scalar.
std::int64_t count(std::span<const std::int64_t> shape);
/// "2x3x4"; "scalar".
std::string to_text(std::span<const std::int64_t> shape);
/// Elements between neighbours along each axis, where the last axis is fastest.
Shape contiguous_strides(std::span<const std::int64_t> shape);

/// Contents that are known before anything runs; not aligned. What is computed of others is so when it is first asked
/// for: where all that comes of it lies in a cache, never.
class Constant {
 public:
  using LetGo = std::function<void(std::span<const std::byte>)>;
  /// `let_go` is told of bytes that are not wanted for now.
  Constant(std::shared_ptr<const void> owner, std::span<const std::byte> bytes, LetGo let_go = nullptr)
      : owner_(std::move(owner)), bytes_(bytes), let_go_(std::move(let_go)) {}
  /// Another's floats, in as many equal parts as there are factors, each times its own.
  Constant(std::shared_ptr<const Constant> of, std::vector<float> factors)
      : of_(std::move(of)), factors_(std::move(factors)) {}

  template <class T>
  [[nodiscard]] static std::shared_ptr<const Constant> of(std::vector<T> values) {
    auto kept = std::make_shared<const std::vector<T>>(std::move(values));
    return std::make_shared<const Constant>(kept, std::as_bytes(std::span(*kept)));
  }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    if (of_ != nullptr) std::call_once(once_, [this] { compute(); });
    return bytes_;
  }
  [[nodiscard]] std::size_t size() const { return of_ != nullptr ? of_->size() : bytes_.size(); }
  /// Whether both are made the same way of the same bytes. Nothing is computed for it.
  [[nodiscard]] bool equals(const Constant& other) const;
  /// Its equal, which does not keep what may have been computed.
  [[nodiscard]] std::shared_ptr<const Constant> not_computed() const;
  /// It was read, and may be read again, but not soon.
  void let_go() const;
  template <class T>
  [[nodiscard]] T at(std::size_t i) const {
    T value;
    std::memcpy(&value, bytes().data() + i * sizeof(T), sizeof(T));
    return value;
  }

 private:
  void compute() const;

  mutable std::shared_ptr<const void> owner_;
  mutable std::span<const std::byte> bytes_;
  LetGo let_go_;
  mutable std::once_flag once_;
  std::shared_ptr<const Constant> of_;  // nullptr: its bytes are given
  std::vector<float> factors_;
};

/// Floats at any address.
class FloatView {
 public:
  explicit FloatView(const Constant& constant) : data_(constant.bytes().data()) {}
  [[nodiscard]] float operator[](std::int64_t i) const {
    float value;
    std::memcpy(&value, data_ + i * static_cast<std::int64_t>(sizeof(float)), sizeof(float));
    return value;
  }

 private:
  const std::byte* data_;
};

/// An index into Graph::values.
using ValueId = int;

struct Value {
  std::string name;  ///< ONNX's, or that of what it was made for: for messages
  Element element = Element::kF32;
  Shape shape;
  std::shared_ptr<const Constant> constant;  ///< nullptr: computed, or an input
};

/// Inputs broadcast to the output's shape by ONNX's rules; input i is the expression's i.
struct Map {
  Expression expression;
  bool into_weights = false;  ///< factors of channels, which go into the weights of the convolution that alone takes it
};

/// Of the first input. The reduced axes stay, with size 1. `combine` is associative and commutative.
struct Reduce {
  enum class Combine { kSum, kProduct, kMaximum, kMinimum };
  Combine combine = Combine::kSum;
  std::vector<std::size_t> axes;
};

/// Inputs: x (batch, channels, space …), w (outputs, channels / groups, space …), b (outputs) where it has one, and
/// those of `after`, which broadcast to the output.
struct Conv {
  Shape strides, dilations, begin, end;  ///< one for each axis of space; begin and end: of the padding with zeros
  std::int64_t groups = 1;
  bool bias = false;
  Expression after{};      ///< of the result, input 0; nothing: the result as it is
  bool in_bands = false;   ///< computed by bands of rows with the depthwise convolution that alone takes it
  bool with_sums = false;  ///< gives the sums of its rows, too, where its kernel can: somebody wants the image's sum
};

/// Of x (batch, channels, space …). The padding is no part of a window.
struct Pool {
  enum class Kind { kMaximum, kAverage };
  Kind kind = Kind::kMaximum;
  Shape kernel, strides, dilations, begin, end;
  bool counts_padding = false;  ///< of kAverage: divide by the whole window
};

/// (… m, k) times (… k, n), axes before broadcast.
struct MatMul {};

/// The elements in order, in another shape.
struct Reshape {};

/// output[i] = input.flat[offset + Σ i[k] * strides[k]]: transposes, slices, expansions.
struct Strided {
  std::int64_t offset = 0;
  Shape strides;
};

struct Concat {
  std::size_t axis = 0;
};

/// `begin` elements before the input along each axis, and as many after it as the output has room for.
struct Pad {
  Shape begin;
  double value = 0;
};

/// Slices of input 0 along an axis, at the places that input 1 (i64 or i32; negative: from the end) says.
struct Gather {
  std::size_t axis = 0;
};

using Operation = std::variant<Map, Reduce, Conv, Pool, MatMul, Reshape, Strided, Concat, Pad, Gather>;
/// "Map", "Conv" …
const char* kind_of(const Operation& operation);

struct Node {
  Operation operation;
  std::vector<ValueId> inputs;
  ValueId output = -1;
  std::string label;  ///< `Conv node "conv1"`: for messages
};

/// What is done as the graph is scheduled: all, where no passes were run.
struct Planning {
  bool layout = true, concat = true, constants = true, memory = true;
};

/// Nodes are in an order in which they can be computed; each value is one node's output, an input, or constant.
struct Graph {
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs, outputs;
  Planning planning{};

  [[nodiscard]] const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  [[nodiscard]] const Shape& shape(ValueId id) const { return value(id).shape; }
  ValueId add(Value value) {
    values.push_back(std::move(value));
    return static_cast<ValueId>(values.size()) - 1;
  }
};

/// For tests and `dump`: a line an input and a constant that is taken, `%1 f32 64x3x7x7 = constant "w"`, then one a
/// node with its label and its output's name in ONNX, `%5 f32 1x64x112x112 = Conv(%0, %1, %2) …  // Conv node "c" ->
/// "c_out"`.
std::string to_text(const Graph& graph);

}  // namespace assay::compiler
