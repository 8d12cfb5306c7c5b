#include "backend.hpp"

ASSAY_BACKEND(assay::openvino::OpenVinoBackend)
