#pragma once
// Arithmetic on sizes and indices in the graph itself, for what is known only when it runs. Where the sizes are known,
// TensorFlow's constant folding and XLA leave nothing of it.

#include <vector>

#include "operators/operator.hpp"

namespace assay::tensorflow {

/// All in int64, one axis unless said otherwise.
TF_Output one_int(GraphBuilder& g, std::int64_t value);
TF_Output scalar_int(GraphBuilder& g, std::int64_t value);  ///< of no axis
/// An integer tensor of any shape, as int64 of one axis, or of none.
TF_Output as_vector(GraphBuilder& g, TF_Output x);
TF_Output as_scalar(GraphBuilder& g, TF_Output x);

/// Sizes of x as it stands.
TF_Output sizes_of(GraphBuilder& g, TF_Output x);
/// Sizes of input i in ONNX's order, in whichever layout it stands.
TF_Output sizes_of_input(Operator& op, std::size_t i);
/// Size of one axis, a scalar.
TF_Output size_of_axis(GraphBuilder& g, TF_Output x, std::int64_t axis);
/// Elements [begin, begin + count) of a vector.
TF_Output part(GraphBuilder& g, TF_Output vector, std::int64_t begin, std::int64_t count);
TF_Output concatenated(GraphBuilder& g, const std::vector<TF_Output>& parts, std::int64_t axis = 0);
/// begin, begin + 1 … end - 1, of scalars.
TF_Output counting(GraphBuilder& g, TF_Output begin, TF_Output end);
/// 0 … size - 1 along `axis` of `rank` axes, the others of size 1.
TF_Output counting_along(GraphBuilder& g, TF_Output size, std::int64_t axis, std::size_t rank);
/// `if_true` where `condition`, broadcast.
TF_Output choose(GraphBuilder& g, TF_Output condition, TF_Output if_true, TF_Output if_false);
/// `size` added where x is negative: indices and axes that count from the end. `size` of x's type, broadcast.
TF_Output from_begin(GraphBuilder& g, TF_Output x, TF_Output size);
/// `vector` with `values` at `places`. No scattering: XLA cannot compute that when it compiles, as it must for shapes.
TF_Output placed(GraphBuilder& g, const Ints& vector, TF_Output places, TF_Output values);
TF_Output gathered(GraphBuilder& g, TF_Output x, TF_Output indices, std::int64_t axis = 0);
/// x with an axis of size 1 more.
TF_Output with_axis(GraphBuilder& g, TF_Output x, std::int64_t axis);

}  // namespace assay::tensorflow
