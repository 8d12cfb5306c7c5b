#include "worker/frames.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <random>
#include <thread>
#include <vector>

#include "assay/error.hpp"

namespace assay::worker {
namespace {

TEST(Frames, ComeOutWholeHoweverTheyAreCut) {
  const std::vector<std::string> payloads = {"{}", std::string(70000, 'x'), "a", std::string("\0\n", 2)};
  std::string stream;
  for (const std::string& p : payloads) stream += encode_frame(p);
  std::mt19937 generator(1);
  for (int round = 0; round < 20; ++round) {
    FrameDecoder decoder;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t n = std::min<std::size_t>(stream.size() - at, 1 + generator() % 5000);
      decoder.feed(stream.data() + at, n);
      at += n;
      while (auto payload = decoder.next()) got.push_back(*payload);
    }
    EXPECT_EQ(got, payloads);
    EXPECT_EQ(decoder.pending(), 0U);
  }
}

TEST(Frames, LengthsThatCannotBeAreRefused) {
  for (const std::string& bad :
       {std::string("\0\0\0\0", 4), std::string("\xff\xff\xff\xff", 4), std::string("GET / HTTP")}) {
    FrameDecoder decoder;
    decoder.feed(bad.data(), bad.size());
    EXPECT_THROW(decoder.next(), Error);
    EXPECT_THROW(decoder.next(), Error) << "it stays broken";
  }
  FrameDecoder small(3);
  small.feed(encode_frame("abcd").data(), 8);
  EXPECT_THROW(small.next(), Error);
  EXPECT_THROW(encode_frame(""), Error);
}

TEST(Frames, AFrameCutShortIsNotThere) {
  FrameDecoder decoder;
  const std::string frame = encode_frame("hello");
  decoder.feed(frame.data(), frame.size() - 1);
  EXPECT_FALSE(decoder.next());
  EXPECT_EQ(decoder.pending(), frame.size() - 1);
}

TEST(Frames, TravelOverASocket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const std::string large(3 << 20, 'y');
  std::thread writer([&] {
    EXPECT_TRUE(write_frame(ends[0], large));
    ::close(ends[0]);
  });
  FrameDecoder decoder;
  EXPECT_EQ(read_frame(ends[1], decoder), large);
  EXPECT_EQ(read_frame(ends[1], decoder), std::nullopt) << "the end of the stream";
  writer.join();
  ::close(ends[1]);
  EXPECT_FALSE(write_frame(ends[1], "to nobody"));
}

}  // namespace
}  // namespace assay::worker
