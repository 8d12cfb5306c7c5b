#pragma once
// The ways of running an ensemble and its members that bench_ensemble compares. Pure.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/case.hpp"

namespace assay::bench {

using Set = std::vector<std::string>;  ///< engines

/// "A;A,B" is two.
std::vector<Set> sets_of(const std::string& text);

/// Whose ways are compared.
struct Field {
  std::vector<std::string> members;
  std::vector<Set> sets;
  std::int64_t batch = 1;
  int threads = 2;
  /// Ways whose description has one of these; none: all. To measure anew what an earlier run chose among all.
  std::vector<std::string> among{};
  [[nodiscard]] std::string ensemble() const { return joined_members(members); }
  [[nodiscard]] Set engines() const;  ///< each once
};

/// What was measured of one case.
struct Way {
  Case test_case;
  double screened = 0;  ///< samples a second, the best of the turns that sorted out; 0: it failed, or there was none
  std::vector<double> rates;  ///< of the turns that count, block by block; empty: it is not near the best, or failed
  std::string trouble;        ///< why it has no figures; "": it has some
  double seconds = 0;         ///< that its last turn took; 0: none was taken here
};

using Fits = std::function<bool(const Case&)>;
Fits of_model(const std::string& model);
/// On one engine: the study's way. (A mixed one is no `sequential` of anybody's.)
Fits sequential(const std::string& ensemble);

/// All engines of the case, of a mixed plan several, are in the set.
bool runs_on(const Case& c, const Set& set);

/// The best by `rate` of the ways on the engines of `set` that fit; nullptr: there is none.
const Way* best_of(const std::vector<Way>& ways, const Set& set, const Fits& fits, double (*rate)(const Way&));
double screened(const Way& way);
double typical(const Way& way);  ///< of the turns that count

/// Every member alone, set up for throughput and for latency, and every strategy, on every engine. For latency
/// concurrent and pipelined are the same with one batch under way, which brings no more a second: they are left out.
std::vector<Way> plain_ways(const Field& field);

/// For each set in which the members' best engines differ, as the turns that sorted out had them, plans with each
/// member on its best: sequential, concurrent and pipelined, set up for throughput. By the best of both set-ups, as the
/// bound has it, and by those for throughput, as lanes with a thread each run them. Each plan once.
std::vector<Way> mixed_ways(const Field& field, const std::vector<Way>& ways);

/// What the best strategy is compared with: members alone, and `sequential` on one engine. One that is missed would
/// flatter it.
bool is_rival(const Field& field, const Case& c);

/// By way: whether it is at least `rivals` of the best of its kind (a member, or `sequential`) in some set; with `ours`
/// above 0 also what is at least that of the best strategy's.
std::vector<bool> near_the_best(const Field& field, const std::vector<Way>& ways, double rivals, double ours);

/// "pipelined on onnxruntime for throughput"; of a mixed plan, its placement.
std::string describe_way(const Case& c);
/// What figures of it are known by.
std::string key_of(const Case& c, const std::string& what);

}  // namespace assay::bench
