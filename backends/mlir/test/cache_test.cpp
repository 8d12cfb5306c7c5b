// What a session leaves in the graph cache, and what becomes of it there.
#include <algorithm>
#include <functional>
#include <string>

#include "assay/backend_abi.h"
#include "test/sessions.hpp"

namespace assay::mlir_backend {
namespace {

namespace fs = std::filesystem;
using test::answer_of;
using test::in_force;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class CacheTest : public test::SessionTest {
 protected:
  CacheTest() {
    fs::create_directory(entry_);
    fs::create_directory(dump_);
    write(test::convolution());
    request_.batch_size = 1;
    request_.options["dump"] = dump_;
    assay_host host{};
    host.log = [](void* heard, assay_log_level, const char* text) {
      static_cast<std::vector<std::string>*>(heard)->emplace_back(text);
    };
    host.log_user = &heard_;
    request_.host = kit::Host(&host);
  }

  struct Loaded {
    bool from_cache;
    std::vector<float> answer;
    bool compiled;  ///< MLIR was asked for kernels
    bool tuned;     ///< convolutions were measured
    std::string kept_weights;
  };
  /// Opens, with the entry to fill or to read or without one, and predicts.
  Loaded load(const fs::path& fill, const fs::path& read) {
    fs::remove_all(dump_);
    fs::create_directory(dump_);
    heard_.clear();
    request_.cache_fill = fill;
    request_.cache_read = read;
    MlirSession session(request_);
    Loaded loaded{session.describe().from_cache, answer_of(session), false, false, mapped_weights()};
    for (const auto& file : fs::directory_iterator(dump_)) {
      loaded.compiled = loaded.compiled || file.path().filename().string().starts_with("kernels");
    }
    for (const std::string& text : heard_) loaded.tuned = loaded.tuned || text.starts_with("autotune: ");
    return loaded;
  }
  Loaded fill() { return load(entry_, ""); }
  Loaded read() { return load("", entry_); }

  /// The line of this process's mappings that is of a file of weights; "" where there is none.
  static std::string mapped_weights() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.ends_with("/weights.bin")) return line;
    }
    return "";
  }

  const fs::path entry_ = folder_ / "entry", dump_ = folder_ / "dump";
  std::vector<std::string> heard_;
};

TEST_F(CacheTest, ALoadFromItCompilesNothingAndMapsTheWeights) {
  const Loaded first = fill();
  EXPECT_FALSE(first.from_cache);
  EXPECT_TRUE(first.compiled);
  EXPECT_EQ(first.kept_weights, "");
  const Loaded second = read();
  EXPECT_TRUE(second.from_cache);
  EXPECT_FALSE(second.compiled);
  EXPECT_THAT(second.kept_weights, AllOf(HasSubstr(entry_.string()), HasSubstr("r--p")));
  EXPECT_EQ(second.answer, first.answer);
  EXPECT_THAT(heard_, IsEmpty());
}

TEST_F(CacheTest, WhatAutotuneFoundIsThereAndNothingIsMeasuredAgain) {
  request_.options["autotune"] = "1";
  const Loaded first = fill();
  EXPECT_TRUE(first.tuned);
  ASSERT_TRUE(fs::exists(entry_ / "tuning.txt"));
  const Loaded second = read();
  EXPECT_TRUE(second.from_cache);
  EXPECT_FALSE(second.tuned);
  EXPECT_FALSE(second.compiled);
  EXPECT_EQ(second.answer, first.answer);
  request_.cache_fill = "";
  EXPECT_EQ(in_force(MlirSession(request_).describe(), "measured_convolutions"), "1");
}

TEST_F(CacheTest, WithoutWhatAutotuneFoundItIsMeasuredAgain) {
  request_.options["autotune"] = "1";
  const Loaded first = fill();
  fs::resize_file(entry_ / "tuning.txt", 0);
  const Loaded second = read();
  EXPECT_TRUE(second.tuned);
  ASSERT_EQ(second.answer.size(), first.answer.size());
  for (std::size_t i = 0; i < first.answer.size(); ++i) ASSERT_NEAR(second.answer[i], first.answer[i], 1e-4);
}

struct Damage {
  const char* name;
  std::function<void(const fs::path& entry)> does;
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

void cut(const fs::path& file, std::uintmax_t parts_of_8) {
  fs::resize_file(file, fs::file_size(file) * parts_of_8 / 8);
}
class DamagedCache : public CacheTest, public testing::WithParamInterface<Damage> {};

/// The host's checksums keep such entries away (tests/integration/compiled_cache_test.cpp); should one come all the
/// same, it is passed over, or refused, whereupon the host opens without it.
TEST_P(DamagedCache, IsPassedOverOrRefusedAndNeverUsed) {
  const Loaded whole = fill();
  GetParam().does(entry_);
  try {
    const Loaded damaged = read();
    EXPECT_FALSE(damaged.from_cache) << "it was taken for whole";
    EXPECT_EQ(damaged.answer, whole.answer);
  } catch (const std::exception& e) {
    EXPECT_STRNE(e.what(), "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, DamagedCache,
    testing::Values(Damage{"CutObject", [](const fs::path& e) { cut(e / "kernels0.o", 4); }},
                    Damage{"ObjectCutAtItsEnd", [](const fs::path& e) { cut(e / "kernels0.o", 7); }},
                    Damage{"EmptyObject", [](const fs::path& e) { cut(e / "kernels0.o", 0); }},
                    Damage{"MissingObject", [](const fs::path& e) { fs::remove(e / "kernels0.o"); }},
                    Damage{"CutWeights", [](const fs::path& e) { cut(e / "weights.bin", 4); }},
                    Damage{"MissingWeights", [](const fs::path& e) { fs::remove(e / "weights.bin"); }},
                    Damage{"OtherKernels", [](const fs::path& e) { std::ofstream(e / "kernels.mlir") << "// other"; }},
                    Damage{"MissingKernels", [](const fs::path& e) { fs::remove(e / "kernels.mlir"); }},
                    Damage{"NoTime", [](const fs::path& e) { std::ofstream(e / "compile_ns.txt") << "?\n"; }},
                    Damage{"MoreThanATime", [](const fs::path& e) { std::ofstream(e / "compile_ns.txt") << "12x\n"; }},
                    Damage{"CutTime", [](const fs::path& e) { cut(e / "compile_ns.txt", 7); }},
                    Damage{"MissingTime", [](const fs::path& e) { fs::remove(e / "compile_ns.txt"); }}),
    [](const auto& damage) { return std::string(damage.param.name); });

/// LLVM reads objects without trusting them.
TEST_F(CacheTest, AnObjectThatIsCutAnywhereIsRefusedOrWhole) {
  const Loaded whole = fill();
  const fs::path object = entry_ / "kernels0.o";
  const std::uintmax_t bytes = fs::file_size(object);
  constexpr std::uintmax_t kCuts = 48;
  int refused = 0;
  for (std::uintmax_t i = kCuts; i-- > 0;) {  // shorter each time
    fs::resize_file(object, bytes * i / kCuts);
    try {
      EXPECT_EQ(read().answer, whole.answer) << i;
    } catch (const std::exception&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

struct Other {
  const char *option, *value;
};

/// Options that change the code: the host gives each value an entry of its own, and an entry of another is passed over.
TEST_F(CacheTest, IsOfOneTargetOneMathAndTheSamePasses) {
  (void)fill();
  for (const Other& other : {Other{"target", "avx2"}, {"without", "layout"}, {"autotune", "1"}, {"math", "strict"}}) {
    const auto& table = option_table();
    const auto option = std::find_if(table.begin(), table.end(),
                                     [&](const assay_option& o) { return std::string(o.name) == other.option; });
    ASSERT_NE(option, table.end()) << other.option;
    EXPECT_NE(option->flags & ASSAY_OPTION_SHAPES_GRAPH, 0U) << other.option;
  }
  for (const Other& other : {Other{"target", "avx2"}, {"without", "layout"}}) {
    if (std::string(other.option) == "target" && !compiler::test::why_not_here(other.value).empty()) continue;
    request_.options[other.option] = other.value;
    const Loaded there = read();
    EXPECT_FALSE(there.from_cache) << other.option;
    EXPECT_TRUE(there.compiled) << other.option;
    EXPECT_THAT(heard_, Contains(HasSubstr("are compiled anew"))) << other.option;
    request_.options.erase(other.option);
  }
  EXPECT_TRUE(read().from_cache);
}

}  // namespace
}  // namespace assay::mlir_backend
