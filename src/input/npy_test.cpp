#include "input/npy.hpp"
#include "input/test_images.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "assay/error.hpp"
#include "core/copy.hpp"

namespace assay::input {
namespace {

using testing::HasSubstr;

std::string npy(int version, const std::string& dictionary, const std::string& data) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) file += static_cast<char>(dictionary.size() >> (8 * i) & 0xFF);
  return file + dictionary + data;
}

constexpr const char* kTwoByThree = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }";

TEST(Npy, ReadsVersions1To3) {
  for (const int version : {1, 2, 3}) {
    const NpyHeader h = parse_npy(test::bytes_of(npy(version, kTwoByThree, std::string(12, 'x'))));
    EXPECT_EQ(h.dtype, DType::kInt16);
    EXPECT_EQ(h.shape, (Shape{2, 3}));
    EXPECT_FALSE(h.fortran_order);
  }
}

TEST(Npy, RefusesWhatIsBroken) {
  struct Row {
    std::string file;
    const char* says;
  };
  const std::string good = npy(1, kTwoByThree, std::string(12, 'x'));
  const Row rows[] = {
      {"", "it is empty"},
      {"hello, world", "does not begin as one"},
      {good.substr(0, 9), "does not begin as one"},
      {good.substr(0, 30), "cut short in the header"},
      {good.substr(0, good.size() - 1), "shape 2x3 of int16 needs 6 elements, there is room for 5"},
      {npy(4, kTwoByThree, ""), "of version 4"},
      {npy(1, "{'descr': '>f4', 'fortran_order': False, 'shape': ()}", "1234"), "big-endian"},
      {npy(1, "{'descr': '<c8', 'fortran_order': False, 'shape': ()}", "12345678"), "'<c8'"},
      {npy(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", ""), "structured"},
      {npy(1, "{'descr': '<f4', 'shape': ()}", "1234"), "lacks descr, fortran_order or shape"},
      {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", ""), "shape is broken"},
      {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}", ""), "shape is broken"},
      {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904)}", ""),
       "too large"},
      {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", "1234"), "cut short"},
      {npy(1, "{'descr': '<f4', 'fortran_order': 7, 'shape': ()}", "1234"), "neither True nor False"},
      {npy(1, std::string(kTwoByThree) + "x", std::string(12, 'x')), "something follows"},
  };
  for (const Row& row : rows) {
    try {
      parse_npy(test::bytes_of(row.file));
      ADD_FAILURE() << "accepted, wanted: " << row.says;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr(row.says));
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    }
  }
}

TEST(Npy, FortranOrderIsReadRight) {
  const TemporaryFolder folder;
  const std::int16_t columns[] = {1, 4, 2, 5, 3, 6};  // [[1, 2, 3], [4, 5, 6]]
  write_file_atomically(folder.path() / "f.npy",
                        npy(1, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }",
                            std::string(reinterpret_cast<const char*>(columns), sizeof columns)));
  const NpyFile file(folder.path() / "f.npy");
  std::vector<std::int16_t> rows(6);
  copy_elements(file.view(), {rows.data(), DType::kInt16, {2, 3}, {}});
  EXPECT_EQ(rows, (std::vector<std::int16_t>{1, 2, 3, 4, 5, 6}));
}

TEST(Npy, WhatIsWrittenIsReadBack) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.npy";
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3, 4}, Shape{0, 3}}) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kInt64, DType::kBool, DType::kUint8}) {
      Tensor t(dtype, shape);
      std::memset(t.data(), 1, t.bytes());
      write_npy(path, t.view());
      EXPECT_EQ((read_file(path).size() - t.bytes()) % 64, 0U) << "NumPy aligns the array";
      const NpyFile file(path);
      EXPECT_EQ(file.view().dtype, dtype);
      EXPECT_EQ(file.view().shape, shape);
      EXPECT_EQ(std::memcmp(file.view().data, t.data(), t.bytes()), 0);
    }
  }
  EXPECT_THROW(write_npy(path, Tensor(DType::kBFloat16, {1}).view()), Error);
}

TEST(Npy, HeaderIsNumPysOwn) {
  const TemporaryFolder folder;
  Tensor t(DType::kFloat32, {5});
  std::memset(t.data(), 0, t.bytes());
  write_npy(folder.path() / "a.npy", t.view());
  // What numpy.save wrote for the same array (NumPy 2).
  EXPECT_EQ(read_file(folder.path() / "a.npy").substr(10, 58),
            "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), } ");
}

}  // namespace
}  // namespace assay::input
