#include "blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

#include "base/file.hpp"
#include "base/sha256.hpp"
#include "measure/environment.hpp"

namespace assay::bench {
namespace {

/// This build on this machine.
std::string stamp() {
  const measure::Environment machine = measure::read_environment();
  const auto cpu = machine.values.find("cpu.model");
  return fmt::format("build {} on {}", sha256_of_file(executable_path()).substr(0, 12),
                     cpu == machine.values.end() ? "a CPU without a name" : cpu->second);
}

}  // namespace

Figure geometric_mean(std::vector<double> values) {
  for (double& v : values) v = std::log(v);
  const double centre = std::exp(measure::mean(values));
  const auto interval = measure::t_interval(values);
  if (!interval) return {centre, 0, INFINITY};
  return {centre, std::exp(interval->low), std::exp(interval->high)};
}

std::vector<double> quotients(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> q;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) q.push_back(a[i] / b[i]);
  return q;
}

void print_rates(const std::string& name, const std::vector<double>& rates, const std::string& what) {
  const Figure f = geometric_mean(rates);
  fmt::print("  {:20} {:8.3f} [{:.3f}, {:.3f}] 1/s  {}\n", name, f.value, f.low, f.high, what);
}

bool judge(const std::string& what, const Figure& f, double least, double lowest) {
  const bool kept = f.value >= least && f.low >= lowest;
  fmt::print("  {:33} {:.3f} [{:.3f}, {:.3f}], at least {:.2f} (lower end {:.2f}): {}\n", what, f.value, f.low, f.high,
             least, lowest, kept ? "kept" : "MISSED");
  return kept;
}

State::State(std::string file) : file_(std::move(file)) {
  std::ifstream in(file_);
  std::string found;
  std::getline(in, found);
  const std::string ours = stamp();
  if (!found.empty() && found != ours) {
    throw std::runtime_error(
        fmt::format("{} is of \"{}\", this is \"{}\": remove it, or name another", file_, found, ours));
  }
  if (found.empty() && !file_.empty()) std::ofstream(file_) << ours << "\n";
  double figure = 0;
  for (std::string key; in >> figure && std::getline(in >> std::ws, key);) figures_[key] = figure;
}

const double* State::find(const std::string& key) const {
  const auto it = figures_.find(key);
  return it == figures_.end() || it->second <= 0 ? nullptr : &it->second;
}

double State::keep(const std::string& key, double figure) {
  figures_[key] = figure;
  if (!file_.empty()) std::ofstream(file_, std::ios::app) << fmt::format("{} {}\n", figure, key) << std::flush;
  return figure;
}

}  // namespace assay::bench
