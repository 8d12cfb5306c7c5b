#include "report/format.hpp"

#include <gtest/gtest.h>

namespace assay::report {
namespace {

TEST(Format, NumbersHaveThreeOrFourDigits) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(0.012345), "0.0123");
  EXPECT_EQ(number(1.2345), "1.23");
  EXPECT_EQ(number(25.34), "25.3");
  EXPECT_EQ(number(123.4), "123");
  EXPECT_EQ(number(12345.6), "12346");
  EXPECT_EQ(number(-2.5), "-2.50");
}

TEST(Format, ShortNumbersFitSixColumns) {
  EXPECT_EQ(short_number(400'000), "400k");
  EXPECT_EQ(short_number(1'234'567), "1.23M");
  EXPECT_EQ(short_number(12'345), "12.3k");
  EXPECT_EQ(short_number(25.34), "25.3");
  EXPECT_EQ(short_number(0.012345), "0.012");
  EXPECT_EQ(short_number(0.0028123), "0.0028");
  for (double v = 1e-9; v < 1e16; v *= 3.7) EXPECT_LE(width(short_number(v)), 6U) << v;
}

TEST(Format, WhatWasNotMeasuredIsNoZero) {
  EXPECT_EQ(with_interval(nullptr), "–");
  const Metric none{"t", "1", std::nullopt, 1.0, 2.0, 0, ""};
  EXPECT_EQ(with_interval(&none), "–");
  const Metric bare{"t", "1", 25.3, std::nullopt, std::nullopt, 1, ""};
  EXPECT_EQ(with_interval(&bare), "25.3");
  const Metric full{"t", "1", 25.3, 24.1, 26.5, 1, ""};
  EXPECT_EQ(with_interval(&full), "25.3 [24.1, 26.5]");
}

TEST(Format, OneIsNotMany) {
  EXPECT_EQ(counted(0, "case"), "0 cases");
  EXPECT_EQ(counted(1, "case"), "1 case");
  EXPECT_EQ(counted(2, "case"), "2 cases");
}

TEST(Format, DurationsAreForPeople) {
  EXPECT_EQ(duration(-1), "0 s");
  EXPECT_EQ(duration(42.4), "42 s");
  EXPECT_EQ(duration(130), "2 min 10 s");
  EXPECT_EQ(duration(180), "3 min");
  EXPECT_EQ(duration(3600 * 27 + 120), "27 h 2 min");
}

TEST(Format, WidthCountsCharactersNotBytes) {
  EXPECT_EQ(width("a · b"), 5U);
  EXPECT_EQ(pad_left("·", 3), "  ·");
  EXPECT_EQ(pad_right("·", 3), "·  ");
  EXPECT_EQ(cut("a·b·c", 4), "a·b…");
  EXPECT_EQ(cut("abc", 3), "abc");
}

TEST(Format, WrapsAtSpacesAndBreaksWhatIsTooLong) {
  EXPECT_EQ(wrap("one two three", 7, 1), "one two\n three");
  EXPECT_EQ(wrap("aaaaaaaaaa", 4, 1), "aaaa\n aaa\n aaa");
  EXPECT_EQ(wrap("a  b\nc", 80), "a b c");
  EXPECT_EQ(wrap("", 10), "");
}

TEST(Format, HangsTextBesideALabel) {
  EXPECT_EQ(hang("name", "one two three", 6, 14), "name  one two\n      three");
  EXPECT_EQ(hang("a long name", "one", 6, 14), "a long name one");
}

}  // namespace
}  // namespace assay::report
