#include "cli/cache_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.hpp"
#include "engine/ensemble/merged.hpp"

namespace assay::cli {
namespace {

using engine::CachedGraph;
using engine::KeyParts;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::time_t kNow = 1'000'000;

/// Of one model on one engine, and what is given otherwise.
KeyParts parts(const KeyParts& other = {}) {
  KeyParts all = {{"backend", "mlir"},   {"version", "0.1.0-abc"}, {"model", std::string(64, 'a')},
                  {"batch size", "8"},   {"threads", "4"},         {"device", "cpu"},
                  {"for", "throughput"}, {"plugin", "1 of 2"},     {"option fuse", "1"}};
  for (const auto& [name, value] : other) all[name] = value;
  return all;
}

CachedGraph graph(const KeyParts& parts, std::time_t used = kNow) {
  return {.key = std::string(64, 'f'), .parts = parts, .bytes = 3 << 20, .last_used = used, .in_use = false};
}

/// As it would be on a terminal without end.
std::string unbroken(std::string row) {
  for (std::size_t at = 0; (at = row.find('\n')) != std::string::npos;) {
    row.replace(at, row.find_first_not_of(' ', at + 1) - at, " ");
  }
  return row;
}

std::vector<std::string> unbroken_rows(const std::vector<CachedGraph>& graphs) {
  std::vector<std::string> rows;
  for (const std::string& row : rows_of(graphs, kNow)) rows.push_back(unbroken(row));
  return rows;
}

TEST(CacheRows, OneOfAModelIsToldByEngineModelAndBatch) {
  EXPECT_EQ(rows_of({graph(parts(), kNow - 7300)}, kNow)[0],
            "ffffffffffff      3.0 MiB  2 h ago      mlir 0.1.0, model aaaaaaaa, batch 8");
}

TEST(CacheRows, SeveralOfAModelAreToldApart) {
  const auto rows = unbroken_rows({graph(parts()), graph(parts({{"batch size", "0"}, {"for", "latency"}})),
                                   graph(parts({{"threads", "1"}, {"option fuse", "0"}, {"in flight", "3"}})),
                                   graph(parts({{"plugin", "1 of 3"}, {"model", std::string(64, 'b')}}))});
  EXPECT_THAT(rows[0], AllOf(HasSubstr("batch 8"), HasSubstr("for throughput"), HasSubstr("4 threads"),
                             HasSubstr("fuse=1"), Not(HasSubstr("cpu")), Not(HasSubstr("plugin"))));
  EXPECT_THAT(rows[1], AllOf(HasSubstr("any batch"), HasSubstr("for latency")));
  EXPECT_THAT(rows[2], AllOf(HasSubstr(", 1 thread"), Not(HasSubstr("1 threads")), HasSubstr("fuse=0"),
                             HasSubstr("3 in flight")));
  EXPECT_THAT(rows[3], AllOf(HasSubstr("model bbbbbbbb"), Not(HasSubstr("threads")))) << "alone of its model";
}

TEST(CacheRows, LongValuesAndPluginsAreToldApartByTheirHashes) {
  const std::string flags(500, 'x');
  const auto rows = unbroken_rows({graph(parts()), graph(parts({{"plugin", "1 of 3"}, {"device identity", flags}}))});
  EXPECT_THAT(rows[0], HasSubstr("plugin " + sha256_of("1 of 2").substr(0, 8)));
  EXPECT_THAT(rows[1], AllOf(HasSubstr("plugin " + sha256_of("1 of 3").substr(0, 8)),
                             HasSubstr(sha256_of(flags).substr(0, 8)), Not(HasSubstr("xxx"))));
}

TEST(CacheRows, MergedGraphsOfTheSameMembersAreToldApart) {
  const KeyParts one = {{"backend", engine::kMergedBackend}, {"members", "a+b"}, {"model", std::string(64, 'c')}};
  KeyParts two = one;
  two["model"] = std::string(64, 'd');
  const auto rows = unbroken_rows({graph(one), graph(two)});
  EXPECT_THAT(rows[0], HasSubstr("merged, a+b, model cccccccc"));
  EXPECT_THAT(rows[1], HasSubstr("merged, a+b, model dddddddd"));
}

TEST(CacheRows, WhatIsFilledAndWhatIsLeftBehindAreSaid) {
  const auto rows = rows_of({{parts(), 5 << 20, kNow - 130, true}, {{}, 1 << 20, kNow - 400'000, false}}, kNow);
  EXPECT_EQ(rows[0], "being filled      5.0 MiB  for 2 min    mlir 0.1.0, model aaaaaaaa, batch 8");
  EXPECT_THAT(rows[1],
              AllOf(HasSubstr("unfinished        1.0 MiB  4 d ago"), HasSubstr("unknown; its process is gone")));
}

}  // namespace
}  // namespace assay::cli
