#include "graph.hpp"

#include <algorithm>
#include <set>

#include "assay/backend_kit_json.hpp"

namespace assay::compiler {
namespace {

std::string list_text(const char* name, const Shape& values) { return std::string(" ") + name + " " + to_text(values); }

struct Details {
  std::string operator()(const Map& m) const {
    return " " + to_text(m.expression) + (m.into_weights ? " into weights" : "");
  }
  std::string operator()(const Reduce& r) const {
    constexpr const char* kNames[] = {"sum", "product", "maximum", "minimum"};
    std::string text = std::string(" ") + kNames[static_cast<std::size_t>(r.combine)] + " over";
    for (const std::size_t axis : r.axes) text += " " + std::to_string(axis);
    return text;
  }
  std::string operator()(const Conv& c) const {
    return list_text("strides", c.strides) + list_text("dilations", c.dilations) + list_text("begin", c.begin) +
           list_text("end", c.end) + " groups " + std::to_string(c.groups) + (c.bias ? " bias" : "") +
           (c.after.terms.empty() ? "" : " then " + to_text(c.after)) + (c.in_bands ? " in bands" : "") +
           (c.with_sums ? " with sums" : "");
  }
  std::string operator()(const Pool& p) const {
    return std::string(p.kind == Pool::Kind::kMaximum ? " maximum" : " average") + list_text("kernel", p.kernel) +
           list_text("strides", p.strides) + list_text("begin", p.begin) + list_text("end", p.end);
  }
  std::string operator()(const MatMul&) const { return ""; }
  std::string operator()(const Reshape&) const { return ""; }
  std::string operator()(const Strided& s) const {
    return " offset " + std::to_string(s.offset) + list_text("strides", s.strides);
  }
  std::string operator()(const Concat& c) const { return " axis " + std::to_string(c.axis); }
  std::string operator()(const Pad& p) const {
    return list_text("begin", p.begin) + " value " + std::to_string(p.value);
  }
  std::string operator()(const Gather& g) const { return " axis " + std::to_string(g.axis); }
};

/// `%5 f32 1x64x112x112`
std::string typed_text(const Graph& graph, ValueId id) {
  const Value& v = graph.value(id);
  return "%" + std::to_string(id) + " " + name_of(v.element) + " " + to_text(v.shape);
}

/// Its name in ONNX, whatever a file has put there.
std::string named(const Graph& graph, ValueId id) { return kit::json_string(graph.value(id).name); }

std::string ids_text(const std::vector<ValueId>& ids) {
  std::string text;
  for (const ValueId id : ids) text += (text.empty() ? "%" : ", %") + std::to_string(id);
  return text;
}

}  // namespace

std::int64_t count(std::span<const std::int64_t> shape) {
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  std::int64_t product = 1;  // but for axes of nothing: strides, too, must be numbers
  bool is_empty = false;
  for (const std::int64_t axis : shape) {
    is_empty = is_empty || axis == 0;
    if (axis < 0 || axis > kMost || __builtin_mul_overflow(product, std::max<std::int64_t>(axis, 1), &product) ||
        product > kMost) {
      throw Unsupported("a tensor of " + to_text(shape) + " is too large for any memory");
    }
  }
  return is_empty ? 0 : product;
}

std::string to_text(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t axis : shape) text += (text.empty() ? "" : "x") + std::to_string(axis);
  return shape.empty() ? "scalar" : text;
}

Shape contiguous_strides(std::span<const std::int64_t> shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t k = shape.size(); k-- > 1;) strides[k - 1] = strides[k] * shape[k];
  return strides;
}

const char* kind_of(const Operation& operation) {
  constexpr const char* kNames[] = {"Map",     "Reduce",  "Conv",   "Pool", "MatMul",
                                    "Reshape", "Strided", "Concat", "Pad",  "Gather"};
  return kNames[operation.index()];
}

std::string to_text(const Graph& graph) {
  std::string text;
  for (const ValueId id : graph.inputs) text += typed_text(graph, id) + " = input " + named(graph, id) + "\n";
  std::set<ValueId> told;
  const auto tell_constant = [&](ValueId id) {
    if (graph.value(id).constant == nullptr || !told.insert(id).second) return;
    text += typed_text(graph, id) + " = constant " + named(graph, id) + "\n";
  };
  for (const Node& node : graph.nodes) std::for_each(node.inputs.begin(), node.inputs.end(), tell_constant);
  std::for_each(graph.outputs.begin(), graph.outputs.end(), tell_constant);
  for (const Node& node : graph.nodes) {
    text += typed_text(graph, node.output) + " = " + kind_of(node.operation) + "(" + ids_text(node.inputs) + ")" +
            std::visit(Details{}, node.operation) + "  // " + node.label + " -> " + named(graph, node.output) + "\n";
  }
  return text + "outputs " + ids_text(graph.outputs) + "\n";
}

bool Constant::equals(const Constant& other) const {
  if (this == &other) return true;
  if ((of_ == nullptr) != (other.of_ == nullptr)) return false;
  const auto same = [](std::span<const std::byte> a, std::span<const std::byte> b) {
    return a.size() == b.size() && (a.data() == b.data() || std::memcmp(a.data(), b.data(), a.size()) == 0);
  };
  if (of_ == nullptr) return same(bytes_, other.bytes_);
  return same(std::as_bytes(std::span(factors_)), std::as_bytes(std::span(other.factors_))) && of_->equals(*other.of_);
}

std::shared_ptr<const Constant> Constant::not_computed() const {
  return of_ != nullptr ? std::make_shared<const Constant>(of_, factors_)
                        : std::make_shared<const Constant>(owner_, bytes_, let_go_);
}

void Constant::let_go() const {
  if (of_ != nullptr) of_->let_go();
  if (let_go_) let_go_(bytes_);
}

void Constant::compute() const {
  auto made = std::make_shared<std::vector<float>>(of_->size() / sizeof(float));
  std::vector<float>& values = *made;
  const std::size_t of_one = values.size() / std::max<std::size_t>(1, factors_.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = of_->at<float>(i) * factors_[i / of_one];
  bytes_ = std::as_bytes(std::span(values));
  owner_ = std::move(made);
}

}  // namespace assay::compiler
