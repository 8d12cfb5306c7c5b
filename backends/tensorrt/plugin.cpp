#include "backend.hpp"

ASSAY_BACKEND(assay::tensorrt::TensorRtBackend)
