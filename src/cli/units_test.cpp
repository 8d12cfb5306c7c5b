#include "cli/units.hpp"

#include <gtest/gtest.h>

#include "assay/error.hpp"

namespace assay::cli {
namespace {

using std::chrono::milliseconds;

TEST(Units, Durations) {
  EXPECT_EQ(parse_duration("500ms", "--t"), milliseconds(500));
  EXPECT_EQ(parse_duration("1.5s", "--t"), milliseconds(1500));
  EXPECT_EQ(parse_duration("2m", "--t"), milliseconds(120'000));
  EXPECT_EQ(parse_duration("1h", "--t"), milliseconds(3'600'000));
  for (const char* text : {"", "5", "s", "-1s", "0s", "1 s", "1d", "nans", "infs", "1e30h", "99999h"}) {
    EXPECT_THROW(parse_duration(text, "--t"), Error) << text;
  }
}

TEST(Units, Sizes) {
  EXPECT_EQ(parse_size("512MiB", "--m"), UINT64_C(512) << 20);
  EXPECT_EQ(parse_size("1.5GiB", "--m"), UINT64_C(1536) << 20);
  for (const char* text : {"", "5", "5MB", "0GiB", "-1MiB", "1e30GiB"})
    EXPECT_THROW(parse_size(text, "--m"), Error) << text;
}

TEST(Units, TheMessageNamesTheOptionAndAForm) {
  try {
    parse_duration("5", "--duration");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "--duration: '5' is not of the form 500ms, 3s, 2m or 1h");
  }
}

}  // namespace
}  // namespace assay::cli
