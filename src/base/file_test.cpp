#include "base/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "assay/error.hpp"

namespace assay {
namespace {

using testing::HasSubstr;

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kIo);
    return e.what();
  }
  return "nothing thrown";
}

TEST(File, WritesAndReadsBack) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a";
  write_file_atomically(path, std::string("one\0two", 7));
  EXPECT_EQ(read_file(path), std::string("one\0two", 7));
  write_file_atomically(path, std::string("three"));
  EXPECT_EQ(read_file(path), "three");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "a temporary file is left";
}

TEST(File, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of([&] { read_file(folder.path() / "none"); }), HasSubstr("none: cannot open: No such file"));
  EXPECT_THAT(message_of([&] { read_file(folder.path()); }), HasSubstr("it is a folder"));
  EXPECT_THAT(message_of([&] { write_file_atomically(folder.path() / "no" / "a", std::string("x")); }),
              HasSubstr("cannot write: No such file"));
}

TEST(File, RefusesMoreThanTheLimit) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "a", std::string("12345"));
  EXPECT_EQ(read_file(folder.path() / "a", 5), "12345");
  EXPECT_THAT(message_of([&] { read_file(folder.path() / "a", 4); }), HasSubstr("larger than the 4 bytes"));
}

TEST(MappedFile, ShowsTheBytes) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "a", std::string("abc"));
  MappedFile file(folder.path() / "a");
  MappedFile moved(std::move(file));
  ASSERT_EQ(moved.bytes().size(), 3U);
  EXPECT_EQ(static_cast<char>(moved.bytes()[2]), 'c');
  write_file_atomically(folder.path() / "empty", std::string());
  EXPECT_TRUE(MappedFile(folder.path() / "empty").bytes().empty());
}

TEST(TemporaryFolder, GoesWithItsContent) {
  std::filesystem::path path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    write_file_atomically(path / "a", std::string("x"));
    EXPECT_TRUE(std::filesystem::exists(path / "a"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(UserFolders, FollowTheEnvironment) {
  ::setenv("ASSAY_CACHE", "/somewhere", 1);
  EXPECT_EQ(user_cache_folder(), "/somewhere");
  ::unsetenv("ASSAY_CACHE");
  ::setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(user_cache_folder(), "/xdg/assay");
  ::setenv("XDG_CACHE_HOME", "relative", 1);  // the specification: ignored
  ::setenv("HOME", "/h", 1);
  EXPECT_EQ(user_cache_folder(), "/h/.cache/assay");
  ::unsetenv("XDG_CACHE_HOME");
}

}  // namespace
}  // namespace assay
