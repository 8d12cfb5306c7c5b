#pragma once

#include <iosfwd>
#include <set>
#include <string>

#include "runner/runner.hpp"

namespace assay::cli {

/// Shows a campaign's progress: one moving line on a terminal, a line a case elsewhere.
class ProgressView {
 public:
  ProgressView(std::ostream& out, bool live, bool color) : out_(out), live_(live), color_(color) {}
  ~ProgressView() { clear(); }
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;
  void show(const runner::Progress& progress);
  /// Takes the moving line away.
  void clear();

 private:
  std::string result_of(const Outcome& outcome);
  void draw(const runner::Progress& progress);
  void line(const std::string& text);
  std::ostream& out_;
  bool live_, color_;
  bool drawn_ = false;
  std::set<std::string> skipped_;  ///< reasons that were said
};

}  // namespace assay::cli
