#include "aligned_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace assay::compiler {

AlignedMemory::AlignedMemory(std::int64_t bytes) {
  const auto size = static_cast<std::size_t>(aligned(bytes));
  if (size == 0) return;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t inside = (size + page - 1) / page * page;
  length_ = inside + 2 * page;
  pages_ = mmap(nullptr, length_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages_ == MAP_FAILED) {
    pages_ = nullptr;
    throw std::bad_alloc();
  }
  std::byte* first = static_cast<std::byte*>(pages_) + page;
  if (mprotect(first, inside, PROT_READ | PROT_WRITE) != 0) {
    munmap(pages_, length_);
    throw std::bad_alloc();
  }
  data_ = first + (inside - size);
}

AlignedMemory::~AlignedMemory() {
  if (pages_ != nullptr) munmap(pages_, length_);
}

}  // namespace assay::compiler
