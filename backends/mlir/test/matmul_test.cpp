// Products of matrices against their definition.
#include <gmock/gmock.h>

#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;
using testing::FloatNear;
using testing::Pointwise;

struct Product {
  const char* name;
  Shape a, b;
  bool constant = false;    ///< b is of the model
  bool transposed = false;  ///< b comes with its last two axes swapped
};
void PrintTo(const Product& p, std::ostream* out) { *out << p.name; }  // NOLINT: gtest's name

/// The place in a matrix stack of the matrix that broadcasts to number `i` of `outer`.
std::int64_t matrix_of(const Shape& shape, const Shape& outer, std::int64_t i) {
  const Shape places = contiguous_strides(outer), own = contiguous_strides(Shape(shape.begin(), shape.end() - 2));
  std::int64_t place = 0;
  for (std::size_t d = 0; d < own.size(); ++d) {
    const std::size_t axis = outer.size() - own.size() + d;
    if (shape[d] != 1) place += i / places[axis] % outer[axis] * own[d];
  }
  return place;
}

Floats expected(const Product& p, const Floats& a, const Floats& b, const Shape& outer) {
  const std::int64_t rows = *(p.a.end() - 2), depth = p.a.back(), columns = p.b.back();
  Floats y;
  for (std::int64_t i = 0; i < count(outer); ++i) {
    const float* left = a.data() + matrix_of(p.a, outer, i) * rows * depth;
    const float* right = b.data() + matrix_of(p.b, outer, i) * depth * columns;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        double sum = 0;
        for (std::int64_t k = 0; k < depth; ++k)
          sum += static_cast<double>(left[r * depth + k]) * right[k * columns + c];
        y.push_back(static_cast<float>(sum));
      }
    }
  }
  return y;
}

/// Each matrix of a stack, transposed.
Floats transposed(const Floats& from, std::int64_t rows, std::int64_t columns) {
  Floats to(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i), in = at % (rows * columns);
    to[static_cast<std::size_t>(at - in + in % columns * rows + in / columns)] = from[i];
  }
  return to;
}

class Products : public testing::TestWithParam<Product> {};

TEST_P(Products, AgreeWithTheDefinition) {
  const Product& p = GetParam();
  const Shape outer_a(p.a.begin(), p.a.end() - 2), outer_b(p.b.begin(), p.b.end() - 2);
  Shape outer(std::max(outer_a.size(), outer_b.size()), 1);
  for (const Shape* s : {&outer_a, &outer_b}) {
    for (std::size_t d = 0; d < s->size(); ++d) {
      std::int64_t& size = outer[outer.size() - s->size() + d];
      size = std::max(size, (*s)[d]);
    }
  }
  const Floats a = test::random_floats(static_cast<std::size_t>(count(p.a)), 1);
  const Floats b = test::random_floats(static_cast<std::size_t>(count(p.b)), 2);
  const std::int64_t depth = p.a.back(), columns = p.b.back();
  TestModel m;
  m.input("a", p.a);
  std::map<std::string, Shape> shapes = {{"a", p.a}};
  std::vector<Floats> inputs = {a};
  if (p.constant) {
    m.floats("b", p.b, b);
  } else {
    Shape given = p.b;
    if (p.transposed) std::swap(given[given.size() - 1], given[given.size() - 2]);
    m.input(p.transposed ? "t" : "b", given);
    shapes[p.transposed ? "t" : "b"] = given;
    inputs.push_back(p.transposed ? transposed(b, depth, columns) : b);
  }
  if (p.transposed) {
    Shape order(p.b.size());
    for (std::size_t d = 0; d < order.size(); ++d) order[d] = static_cast<std::int64_t>(d);
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    m.node("Transpose", {"t"}, {"b"}, {{"perm", order}});
  }
  m.node("MatMul", {"a", "b"}, {"y"}).output("y");
  for (const char* target : {"host", "sse4"}) {
    SCOPED_TRACE(target);
    EXPECT_THAT(test::answer(m, shapes, inputs, {.target = target}),
                Pointwise(FloatNear(1e-4F), expected(p, a, b, outer)));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Products,
                         testing::Values(Product{"by_a_constant", {5, 40}, {40, 32}, true},
                                         Product{"one_row_by_a_constant", {1, 100}, {100, 48}, true},
                                         Product{"by_a_constant_of_odd_size", {7, 19}, {19, 10}, true},
                                         Product{"stack_by_a_constant", {2, 9, 24}, {24, 64}, true},
                                         Product{"stack_by_a_constant_of_odd_size", {2, 3, 9, 24}, {24, 33}, true},
                                         Product{"computed", {20, 33}, {33, 48}},
                                         Product{"computed_of_few_lanes", {6, 17}, {17, 12}},
                                         Product{"computed_of_odd_size", {6, 17}, {17, 13}},
                                         Product{"computed_transposed", {30, 24}, {24, 32}, false, true},
                                         Product{"heads", {2, 3, 21, 16}, {2, 3, 16, 32}},
                                         Product{"heads_transposed", {2, 3, 21, 16}, {2, 3, 16, 32}, false, true},
                                         Product{"broadcast_stack", {4, 1, 5, 8}, {3, 8, 16}},
                                         Product{"left_for_all", {5, 8}, {2, 3, 8, 16}}),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace assay::compiler
