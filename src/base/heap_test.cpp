#include "base/heap.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace assay {
namespace {

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

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
  const std::size_t before = resident_bytes();
  release_free_heap();
  EXPECT_LT(resident_bytes(), before - kBlock * kBlocks / 2);
}

}  // namespace
}  // namespace assay
#endif
