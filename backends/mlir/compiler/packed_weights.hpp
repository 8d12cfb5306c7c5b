#pragma once
// Weights in the orders in which kernels read them, shared by all that a session compiles.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernel.hpp"

namespace assay::compiler {

/// The order of a dense convolution's weights, as far as a schedule chooses it.
struct Packing {
  std::int64_t m = 0;        ///< 0: as they are; else transformed for Winograd's F(m x m, 3 x 3)
  std::int64_t vectors = 1;  ///< of outputs, beside each other
  friend bool operator==(const Packing&, const Packing&) = default;
};

/// Weights as they lie in a constant: strides of outputs, channels, and the window's rows and columns.
struct WeightView {
  Access access;
  std::int64_t outputs = 1, channels = 1;
  Shape window;
};

/// The whole order in words: equal for what a kernel reads in the same way.
std::string order_text(const std::string& method, std::int64_t vectors, std::int64_t lanes, const WeightView& weights);
std::string order_text(const Packing& packing, std::int64_t lanes, const WeightView& weights);

/// What a session has packed. By order and contents: constants of one import are others' equals where they say the
/// same. Not for several threads at once.
class PackedWeights {
 public:
  /// nullptr: there are none.
  [[nodiscard]] std::shared_ptr<const std::byte> find(const std::string& order, const Constant& of) const;
  void add(const std::string& order, const Constant& of, std::shared_ptr<const std::byte> packed, std::int64_t bytes);
  /// Of all that is there.
  [[nodiscard]] std::int64_t bytes() const noexcept { return bytes_; }
  /// Of what was the first packing of its constant.
  [[nodiscard]] std::int64_t first_bytes() const noexcept { return first_bytes_; }

 private:
  struct Packed {
    std::shared_ptr<const Constant> of;
    std::shared_ptr<const std::byte> packed;
  };
  [[nodiscard]] bool knows(const Constant& of) const;

  std::unordered_multimap<std::string, Packed> packed_;                          // by order
  std::unordered_multimap<std::size_t, std::shared_ptr<const Constant>> known_;  // by size
  std::int64_t bytes_ = 0, first_bytes_ = 0;
};

/// What one plan takes of packed weights, and how much it may add to them.
class Kept {
 public:
  /// nullptr: nothing is there.
  explicit Kept(const PackedWeights* there) : there_(there) {}
  /// Packings of a dense convolution's weights that are there.
  const std::vector<Packing>& of(const Constant& constant, const WeightView& weights, std::int64_t lanes);
  /// Whether so many bytes of a constant may be packed a second time; they are counted then. All second packings
  /// together may take as much as the first ones.
  bool may_add(const Constant& constant, double bytes);

 private:
  const PackedWeights* there_;
  std::map<std::pair<const Constant*, std::string>, std::vector<Packing>> found_;  // copies of a node ask again
  std::set<const Constant*> added_of_;
  double added_ = 0;
};

}  // namespace assay::compiler
