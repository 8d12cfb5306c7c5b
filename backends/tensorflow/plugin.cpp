#include "backend.hpp"

ASSAY_BACKEND(assay::tensorflow::TensorFlowBackend)
