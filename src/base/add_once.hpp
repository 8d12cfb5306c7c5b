#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

namespace assay {

/// At the end of a short list, unless it is there already.
template <class T>
void add_once(std::vector<T>& list, const std::type_identity_t<T>& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

}  // namespace assay
