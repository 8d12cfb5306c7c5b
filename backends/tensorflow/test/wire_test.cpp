// The bytes, against what protobuf's own encoding is known to be.
#include "wire.hpp"

#include <gtest/gtest.h>

#include <random>

namespace assay::tensorflow {
namespace {

using namespace std::string_literals;

TEST(Wire, WritesAsProtobufDoes) {
  EXPECT_EQ(MessageWriter().integer(1, 150).bytes(), "\x08\x96\x01"s);  // the example of protobuf's documentation
  EXPECT_EQ(MessageWriter().text(2, "testing").bytes(), "\x12\x07testing"s);
  EXPECT_EQ(MessageWriter().integer(5, -1).bytes(), "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
  EXPECT_EQ(MessageWriter().integer(50, 1).bytes(), "\x90\x03\x01"s);
  EXPECT_EQ(MessageWriter().message(3, MessageWriter().integer(1, 150)).bytes(), "\x1a\x03\x08\x96\x01"s);
}

TEST(Wire, ReadsWhatItWrote) {
  const std::string data = MessageWriter().integer(7, -12).text(1000, "x").integer(1, INT64_MAX).bytes();
  MessageReader reader(data);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 7);
  EXPECT_EQ(reader.integer(), -12);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 1000);
  EXPECT_EQ(reader.bytes(), "x");
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.integer(), INT64_MAX);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.whole());
}

TEST(Wire, PassesOverNumbersOfFixedSize) {
  const std::string data = "\x0d\x01\x02\x03\x04"s + "\x11\x01\x02\x03\x04\x05\x06\x07\x08"s + "\x18\x2a"s;
  MessageReader reader(data);
  ASSERT_TRUE(reader.next());
  ASSERT_TRUE(reader.next());
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 3);
  EXPECT_EQ(reader.integer(), 42);
}

TEST(Wire, EndsWhereItIsMalformed) {
  for (const std::string& data : {"\x12\x7f"s, "\x08"s, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "\x0b"s,
                                  "\x00"s, "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01z"s, "\x09\x01"s}) {
    MessageReader reader(data);
    EXPECT_FALSE(reader.next()) << testing::PrintToString(data);
    EXPECT_FALSE(reader.whole());
  }
}

TEST(Wire, NeverReadsBeyondRandomBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string data(random() % 24, '\0');
    for (char& c : data) c = static_cast<char>(random());
    MessageReader reader(data);
    for (int fields = 0; reader.next(); ++fields) ASSERT_LE(fields, 24);
  }
}

}  // namespace
}  // namespace assay::tensorflow
