#include "cli/prediction.hpp"

#include <gtest/gtest.h>

namespace assay::cli {
namespace {

TEST(Arithmetic, IsSaidWhereItIsNotPlain) {
  struct Row {
    std::map<std::string, std::string> in_force;
    std::vector<std::string> members;
    const char* says;
  };
  const std::vector<Row> rows = {
      {{{"precision", "f32"}, {"threads", "2"}}, {"m"}, ""},
      {{}, {"m"}, ""},
      {{{"precision", "bf16"}}, {"m"}, "bf16"},
      {{{"precision", "f32"}, {"xla", "false"}}, {"m"}, ""},
      {{{"precision", "f32"}, {"xla", "true"}}, {"m"}, "f32 with XLA"},
      {{{"precision", "bf16"}, {"xla", "partly"}}, {"m"}, "bf16 with XLA in part"},
      {{{"precision", "bf16"}, {"a.precision", "bf16"}, {"b.precision", "bf16"}}, {"a", "b"}, "bf16"},
      {{{"a.precision", "bf16"}, {"b.precision", "f32"}, {"c.precision", "f32"}},
       {"a", "b", "c"},
       "bf16 (a), f32 (b, c)"},
      {{{"precision", "f32"}, {"a.precision", "f32"}, {"a.xla", "true"}, {"b.precision", "f32"}},
       {"a", "b"},
       "f32 (b), f32 with XLA (a)"},
      {{{"precision", "f16"}}, {"a", "b"}, "f16"},  // one graph of both
  };
  for (const Row& row : rows) {
    EXPECT_EQ(arithmetic_text(row.in_force, row.members), row.says) << row.members.size() << " members: " << row.says;
  }
}

}  // namespace
}  // namespace assay::cli
