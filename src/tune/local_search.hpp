#pragma once
// A choice of one of several ways for each member, changed for as long as that helps. Pure.

#include <cstddef>
#include <functional>
#include <vector>

#include "tune/costs.hpp"

namespace assay::tune {

/// Every other way of one member; `visit` gets the changed choice. `counts`: by member, how many ways there are.
void for_each_change(const std::vector<std::size_t>& counts, Ways ways, std::size_t member,
                     const std::function<void(const Ways&)>& visit);

/// The best change of one member's way, or where none helps, of two members' (an engine's library pays off with the
/// second); false where neither does. No choice is asked for its cost twice.
bool improve(const std::vector<std::size_t>& counts, const std::function<double(const Ways&)>& cost_of, Ways& ways);

}  // namespace assay::tune
