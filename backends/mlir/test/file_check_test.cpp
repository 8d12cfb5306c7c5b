// The checker itself: each directive holds where it should, and fails where it should.
#include "test/file_check.hpp"

#include <gmock/gmock.h>

namespace assay::compiler::test {
namespace {

using testing::HasSubstr;

constexpr const char* kOutput =
    "%1 = load %p0\n"
    "%2 = fma %1,   %9\n"
    "%3 = fma %1, %9\n"
    "store %3[0]\n";

struct Check {
  const char* name;
  const char* expected;
  const char* trouble;  ///< part of what is said; "": it holds
};
void PrintTo(const Check& c, std::ostream* out) { *out << c.name; }  // NOLINT: gtest's name

class FileCheck : public testing::TestWithParam<Check> {};

TEST_P(FileCheck, HoldsOrSaysWhatDoesNot) {
  const testing::AssertionResult result = file_check(kOutput, GetParam().expected, {{"P", "%p0"}});
  EXPECT_EQ(static_cast<bool>(result), GetParam().trouble[0] == '\0') << result.message();
  EXPECT_THAT(result.message(), HasSubstr(GetParam().trouble));
}

INSTANTIATE_TEST_SUITE_P(
    All, FileCheck,
    testing::Values(
        Check{"in_order", "CHECK: load\nCHECK: fma\nCHECK: store", ""},
        Check{"not_in_order", "CHECK: store\nCHECK: load", "CHECK: load\n  is not found from line 5"},
        Check{"a_line_counts_once", "CHECK: store\nCHECK: store", "is not found"},
        Check{"not_there", "CHECK: sub", "is not found from line 1"},
        Check{"next", "CHECK: load\nCHECK-NEXT: %2 = fma", ""},
        Check{"next_but_one", "CHECK: load\nCHECK-NEXT: %3 = fma", "is not found from line 2"},
        Check{"next_beyond_the_end", "CHECK: store\nCHECK-NEXT: store", "is not found from line 5"},
        Check{"count", "CHECK-COUNT-2: fma\nCHECK-NEXT: store", ""},
        Check{"count_too_many", "CHECK-COUNT-3: fma", "is not found from line 4"},
        Check{"none_between", "CHECK: load\nCHECK-NOT: load\nCHECK: store", ""},
        Check{"one_between", "CHECK: load\nCHECK-NOT: %2\nCHECK: %3", "CHECK-NOT: %2\n  is in line 2"},
        Check{"none_before_only", "CHECK-NOT: store\nCHECK: fma", ""},
        Check{"one_at_the_beginning", "CHECK-NOT: load\nCHECK: fma", "is in line 1"},
        Check{"one_at_the_end", "CHECK: fma\nCHECK-NOT: store", "is in line 4"},
        Check{"not_counts_before_the_match_alone", "CHECK-NOT: fma\nCHECK: %2 = fma\nCHECK: fma", ""},
        Check{"not_alone", "CHECK-NOT: sub", ""}, Check{"not_alone_fails", "CHECK-NOT: fma", "is in line 2"},
        Check{"blanks_are_any", "CHECK: fma %1, %9\nCHECK-NEXT: fma   %1, %9", ""},
        Check{"characters_of_regular_expressions_are_plain", "CHECK: %3[0]", ""},
        Check{"a_dot_is_a_dot", "CHECK: %3.0", "is not found"},
        Check{"regular_expression", "CHECK: %{{[0-9]+}} = fma", ""},
        Check{"regular_expression_fails", "CHECK: %{{[4-9]}} = fma", "is not found"},
        Check{"alternatives_end_with_the_braces", "CHECK: {{fmb|fma}} %1", ""},
        Check{"name", "CHECK: [[X:%[0-9]]] = load\nCHECK: fma [[X]], %9", ""},
        Check{"name_of_another", "CHECK: [[X:%[0-9]]] = fma\nCHECK: fma [[X]],", "is not found"},
        Check{"name_from_the_beginning", "CHECK: load [[P]]", ""},
        Check{"name_in_a_not", "CHECK: [[X:%[0-9]]] = load\nCHECK-NOT: fma [[X]]", "is in line 2"},
        Check{"unknown_name", "CHECK: fma [[Y]]", "nothing is called [[Y]]"},
        Check{"unknown_directive", "CHECK: load\nCHECK-SAME: p0", "no directive: CHECK-SAME"},
        Check{"misspelt_directive", "CHECK load", "no directive"}, Check{"nothing_to_look_for", "CHECK:  ", "nothing"},
        Check{"open_braces", "CHECK: {{load", "does not end"}, Check{"bad_expression", "CHECK: {{(}}", "Mismatched"},
        Check{"nothing", "just text", "there is nothing to check"}, Check{"empty", "", "there is nothing to check"}),
    [](const auto& p) { return std::string(p.param.name); });

TEST(FileCheck, OfNoOutputNothingIsFound) {
  EXPECT_FALSE(file_check("", "CHECK: x"));
  EXPECT_TRUE(file_check("", "CHECK-NOT: x"));
}

}  // namespace
}  // namespace assay::compiler::test
