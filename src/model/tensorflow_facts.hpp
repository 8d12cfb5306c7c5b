#pragma once

#include "model/model.hpp"

namespace assay::model {

/// What is easily read of TensorFlow's files, to be shown: a SavedModel's inputs and outputs (of its signature
/// serving_default), a frozen graph's inputs, and the operators of both. Throws Error(kInvalidModel | kIo).
void add_tensorflow_facts(Model& model);

}  // namespace assay::model
