#pragma once

#include "model/model.hpp"

namespace assay::model {

/// The signature that is taken where none was named.
inline constexpr const char* kDefaultSignature = "serving_default";

/// What is easily read of TensorFlow's files, to be shown: a SavedModel's signatures, its inputs and outputs (of
/// serving_default), a frozen graph's inputs, and the operators of both. Throws Error(kInvalidModel | kIo).
void add_tensorflow_facts(Model& model);

/// Names of a SavedModel's signatures, sorted, without those that are TensorFlow's own; of another model, none. Throws
/// Error(kInvalidModel | kIo).
std::vector<std::string> signature_names(const Model& model);

}  // namespace assay::model
