#pragma once

#include <algorithm>
#include <functional>
#include <type_traits>
#include <vector>

namespace assay {

/// At the end of a short list, unless it is there already: itself, or one with the same `key`.
template <class T, class Key = std::identity>
void add_once(std::vector<T>& list, const std::type_identity_t<T>& value, Key key = {}) {
  const auto& wanted = std::invoke(key, value);
  const auto is_it = [&](const T& other) { return std::invoke(key, other) == wanted; };
  if (std::none_of(list.begin(), list.end(), is_it)) list.push_back(value);
}

}  // namespace assay
