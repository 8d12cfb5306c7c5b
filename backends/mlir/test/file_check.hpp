#pragma once
// What a stage of the compiler prints, against what is expected of it: a small form of LLVM's FileCheck.

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace assay::compiler::test {

using Names = std::map<std::string, std::string>;

/// `expected` has one of these a line, and what else is in a line before it is passed over:
///   CHECK: TEXT          a line behind the one that was matched last has TEXT
///   CHECK-NEXT: TEXT     the very next line has it
///   CHECK-COUNT-4: TEXT  so many lines have it, one behind the other, with any lines between
///   CHECK-NOT: TEXT      no line has it, between the matches before and behind (or the ends)
/// In TEXT {{…}} is a regular expression; [[NAME:…]] is one that gives its match a name, which is [[NAME]] in later
/// lines; any blanks match any blanks. `names` are known from the beginning. A directive that is none, a name that
/// nothing has, a regular expression that is none, and nothing to check at all are failures, too.
testing::AssertionResult file_check(const std::string& output, const std::string& expected, Names names = {});

}  // namespace assay::compiler::test
