#pragma once
// Figures by key: what was measured, in memory and, where one is kept, in a file, from which the same command goes on.

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace assay::bench {

/// The file has lines "FIGURE KEY", of which each is written as it is measured, lines "- KEY", from where on there is
/// no such figure, and lines "# NAME: TEXT", which say what the figures are of. What a stopped program left of a line
/// is dropped.
class State {
 public:
  /// `file`: "" keeps none; `read_only`: nothing is measured, or written. Throws where it is no such file, or cannot be
  /// written.
  explicit State(std::string file, bool read_only = false);
  /// The figures are of this: a build, a machine, an engine. Throws where those that are there are of another, for they
  /// cannot be compared with what would be measured now; where nothing is measured that is said on stderr alone. What
  /// is new to the file is added.
  void require(const std::string& name, const std::string& text);
  /// What is known, measured last where it was measured twice, or else is measured now. 0: it failed, and is measured
  /// again when it is asked for again. Nothing where it is not known and nothing is measured.
  std::optional<double> figure(const std::string& key, const std::function<double()>& measure);
  /// What was measured; 0: it failed.
  [[nodiscard]] std::optional<double> known(const std::string& key) const;
  [[nodiscard]] bool knows(const std::string& key) const { return figures_.contains(key); }
  /// It is measured again.
  void forget(const std::string& key);
  [[nodiscard]] bool read_only() const { return read_only_; }

 private:
  void read();
  void append(const std::string& line);

  std::string file_;
  bool read_only_;
  std::map<std::string, std::string> stamps_;
  std::map<std::string, double> figures_;
};

}  // namespace assay::bench
