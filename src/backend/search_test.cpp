#include "backend/search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "backend/plugin_folders.hpp"
#include "base/file.hpp"
#include "support/environment.hpp"

namespace assay::backend {
namespace {

namespace fs = std::filesystem;

class SearchTest : public testing::Test {
 protected:
  fs::path make(const std::string& folder) {
    fs::create_directories(root_.path() / folder);
    return root_.path() / folder;
  }
  // Position of `folder` among the roots, -1 where it is not; `origin` must agree.
  static int place(const Search& search, const fs::path& folder, const std::string& origin) {
    for (std::size_t i = 0; i < search.roots.size(); ++i) {
      if (search.roots[i].folder == folder) {
        EXPECT_EQ(search.roots[i].origin, origin);
        return static_cast<int>(i);
      }
    }
    return -1;
  }
  TemporaryFolder root_;
  ScopedVariable no_path_{"ASSAY_TOY_PATH", std::nullopt}, no_venv_{"VIRTUAL_ENV", std::nullopt},
      no_conda_{"CONDA_PREFIX", std::nullopt}, no_loader_{"LD_LIBRARY_PATH", std::nullopt};
};

TEST_F(SearchTest, TheOrderIsPythonUserBuildTreeSystem) {
  const fs::path old = make("venv/lib/python3.9/site-packages"), young = make("venv/lib/python3.11/site-packages");
  const fs::path user = make("data/frameworks/toy"), loader = make("loader");
  const ScopedVariable venv("VIRTUAL_ENV", root_.path() / "venv"), data("ASSAY_DATA", root_.path() / "data"),
      path("LD_LIBRARY_PATH", loader);
  const Search search = framework_search("toy", {});
  EXPECT_TRUE(search.library.empty());
  const int a = place(search, young, "python environment"), b = place(search, old, "python environment"),
            c = place(search, user, "user data"), d = place(search, loader, "LD_LIBRARY_PATH"),
            e = place(search, "/usr/lib", "system");
  EXPECT_EQ(a, 0);
  EXPECT_EQ(b, 1);
  EXPECT_EQ(c, 2);
  EXPECT_GT(d, c);
  EXPECT_GT(e, d);
  EXPECT_EQ(framework_folder("toy"), user);
  const fs::path deps = fs::path(ASSAY_SOURCE_DIR) / ".deps" / "python";
  EXPECT_EQ(build_tree_frameworks(), deps);
  if (fs::is_directory(deps)) {
    const int f = place(search, deps, "build tree");
    EXPECT_TRUE(f > c && f < d) << f;
  }
}

TEST_F(SearchTest, WhatWasSetUpForGpusGoesFirst) {
  const fs::path user = make("data/frameworks/toy"), gpu = make("data/frameworks/toy-gpu");
  const ScopedVariable data("ASSAY_DATA", root_.path() / "data");
  const Search search = framework_search("toy", {});
  EXPECT_EQ(place(search, gpu, "user data"), 0);
  EXPECT_GT(place(search, user, "user data"), 0);
}

TEST_F(SearchTest, AVariableThatNamesFoldersIsAllThatIsLookedAt) {
  const fs::path a = make("a"), missing = root_.path() / "missing";
  const ScopedVariable path("ASSAY_TOY_PATH", a.string() + ":" + missing.string());
  const Search search = framework_search("toy", {});
  ASSERT_EQ(search.roots.size(), 2U);
  EXPECT_EQ(search.roots[0].folder, a);
  EXPECT_EQ(search.roots[0].origin, "ASSAY_TOY_PATH");
  EXPECT_EQ(search.roots[1].folder, missing) << "so that a message can name it";
}

TEST_F(SearchTest, AFileIsTheLibraryItself) {
  const fs::path file = make("a") / "libtoy.so.1";
  std::ofstream(file) << "x";
  {
    const ScopedVariable path("ASSAY_TOY_PATH", file);
    EXPECT_EQ(framework_search("toy", {}).library, file);
  }
  const ScopedVariable path("ASSAY_TOY_PATH", "/elsewhere");
  EXPECT_EQ(framework_search("toy", file).library, file) << "a path that is given goes before the variable";
  EXPECT_EQ(framework_search("toy", "/missing/libtoy.so").library, "/missing/libtoy.so");
  const Search folder = framework_search("toy", root_.path() / "a");
  EXPECT_TRUE(folder.library.empty());
  ASSERT_EQ(folder.roots.size(), 1U);
  EXPECT_EQ(folder.roots[0].origin, "explicit path");
}

TEST_F(SearchTest, TheVariablesNameFollowsTheBackends) {
  EXPECT_EQ(framework_variable("my-engine2"), "ASSAY_MY_ENGINE2_PATH");
}

TEST_F(SearchTest, FoldersNearABinaryCoverEveryLayout) {
  const auto near = plugin_folders_near("/opt/assay/libexec/assay");
  EXPECT_NE(std::find(near.begin(), near.end(), fs::path("/opt/assay/libexec/assay/../../lib/assay")), near.end());
  EXPECT_EQ(plugin_folders_near("/opt/assay/lib")[0], "/opt/assay/lib/assay");
}

TEST_F(SearchTest, SplitsFoldersAtColons) {
  EXPECT_EQ(split_folders(":/a::/b:"), (std::vector<fs::path>{"/a", "/b"}));
  EXPECT_TRUE(split_folders("").empty());
}

}  // namespace
}  // namespace assay::backend
