#include "base/file_state.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/file.hpp"

namespace assay {
namespace {

TEST(FileState, ChangesWithContentAndPlace) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "f";
  EXPECT_FALSE(file_state(file).has_value());
  write_file_atomically(file, std::string("one"));
  const FileState first = file_state(file).value();
  EXPECT_EQ(first.text, file_state(file)->text);
  write_file_atomically(file, std::string("two"));  // as long, another inode
  EXPECT_NE(first.text, file_state(file)->text);
}

TEST(FileState, IsSettledOnceItsTimesWouldTellAChange) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "f";
  write_file_atomically(file, std::string("one"));
  EXPECT_FALSE(file_state(file)->settled);
  for (int i = 0; i < 300 && !file_state(file)->settled; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(file_state(file)->settled);
}

}  // namespace
}  // namespace assay
