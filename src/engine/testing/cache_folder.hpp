#pragma once
// A graph cache in a folder of its own, for tests of the cache and of what opens through it.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "engine/graph_cache.hpp"

namespace assay::test {

class CacheFolderTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path folder() const { return temporary_.path() / "cache"; }
  [[nodiscard]] std::vector<std::string> keys_there() const {
    std::vector<std::string> keys;
    for (const engine::CachedGraph& g : engine::list_graphs(folder())) keys.push_back(g.key);
    return keys;
  }
  /// Entries and all that may have been left lying about.
  [[nodiscard]] std::ptrdiff_t things_there() const {
    using std::filesystem::directory_iterator;
    return std::distance(directory_iterator(folder() / "graphs"), directory_iterator());
  }

 private:
  TemporaryFolder temporary_;
};

}  // namespace assay::test
