#pragma once
// Where predict's answers are written: found wanting before anything is computed.

#include <filesystem>
#include <string>
#include <vector>

#include "cli/answers.hpp"

namespace assay::cli {

class AnswerFiles {
 public:
  /// `place`: one .npy, a folder that gets one NAME.npy per output, or "" for nowhere. Throws Error where the outputs
  /// do not fit it or it cannot be written to.
  AnswerFiles(std::filesystem::path place, const std::vector<TensorInfo>& outputs);
  void write(const Answers& answers) const;

 private:
  std::vector<std::filesystem::path> files_;  // one an output; none: nowhere
};

/// A file name for each output: what no file name may hold is '_', none is too long, no two are the same.
std::vector<std::string> file_names(const std::vector<TensorInfo>& outputs);

}  // namespace assay::cli
