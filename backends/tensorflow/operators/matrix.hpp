#pragma once
// Products of matrices, for the operators that have one within.

#include "operators/operator.hpp"

namespace assay::tensorflow {

/// As ONNX's MatMul, of any number of axes; of types that TensorFlow multiplies.
TF_Output matrix_product(Operator& op, TF_Output a, TF_Output b);

}  // namespace assay::tensorflow
