#include "base/heap.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "support/resident.hpp"

#ifdef ASSAY_GLIBC_HEAP
namespace assay {
namespace {

TEST(Heap, WhatAThreadFreedIsGivenBack) {
  constexpr std::size_t kBlock = std::size_t{64} << 10U, kBlocks = 512;  // too small for a mapping of their own
  std::vector<std::unique_ptr<char[]>> blocks(kBlocks);
  std::thread([&] {
    for (std::unique_ptr<char[]>& block : blocks) {
      block = std::make_unique<char[]>(kBlock);
      std::memset(block.get(), 1, kBlock);
    }
    for (std::size_t i = 0; i < kBlocks; ++i) {
      if (i % 16 < 15) blocks[i].reset();  // the last one stays: what lies below the heap's end is kept
    }
  }).join();
  const std::size_t before = test::resident_bytes();
  release_free_heap();
  EXPECT_LT(test::resident_bytes(), before - kBlock * kBlocks / 2);
}

}  // namespace
}  // namespace assay
#endif
