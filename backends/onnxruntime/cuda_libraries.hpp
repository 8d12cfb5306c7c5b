#pragma once
// The libraries of NVIDIA's that ONNX Runtime's CUDA provider needs. Those of wheels lie where no loader looks: they
// are found here and opened before the provider is, which then meets them by their names.

#include <string>
#include <vector>

#include "assay/backend_kit.hpp"
#include "ort_library.hpp"

namespace assay::ort {

/// Where CUDA's libraries are looked for: beside the ONNX Runtime that was met, then where the host looks.
std::vector<kit::SearchRoot> cuda_roots(const Library& library, const kit::Host& host);

/// One that the provider needs.
struct CudaLibrary {
  std::string name;  ///< "libcublas.so.13"
  std::string path;  ///< "": the loader finds it by its name
};

/// Throws ASSAY_UNAVAILABLE naming all that are missing, and the provider's own file where that is. Opens none that a
/// root has.
std::vector<CudaLibrary> find_cuda_libraries(const Library& library, const std::vector<kit::SearchRoot>& roots);

/// Opens them, and answers cuDNN's version ("9.20.0"). Once open they stay.
std::string open_cuda_libraries(const std::vector<CudaLibrary>& libraries);

/// "9.20.0" of 92000, as cudnnGetVersion has it; "8.9.7" of 8907.
std::string cudnn_version_text(std::size_t version);

}  // namespace assay::ort
