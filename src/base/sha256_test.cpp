#include "base/sha256.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace assay {
namespace {

// FIPS 180-4 examples.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, PiecesAndFilesGiveTheSame) {
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(hash.finish(), sha256_of("abc"));
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "f", std::string("abc"));
  EXPECT_EQ(sha256_of_file(folder.path() / "f"), sha256_of("abc"));
}

}  // namespace
}  // namespace assay
