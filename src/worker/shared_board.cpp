#include "worker/shared_board.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <new>

namespace assay::worker {
namespace {

using engine::MemberBoard;

/// The child can neither shrink it, which would kill whoever reads it then, nor make it grow.
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

void* map_board(int descriptor) {
  void* const memory = ::mmap(nullptr, sizeof(MemberBoard), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

Descriptor sealed_memory() {
  Descriptor memory(::memfd_create("assay-members", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const bool made = memory.get() >= 0 && ::ftruncate(memory.get(), sizeof(MemberBoard)) == 0 &&
                    ::fcntl(memory.get(), F_ADD_SEALS, kSeals) == 0;
  if (!made) memory.reset();
  return memory;
}

}  // namespace

SharedBoard::SharedBoard() : memory_(sealed_memory()) {
  void* const memory = memory_.get() >= 0 ? map_board(memory_.get()) : nullptr;
  if (memory == nullptr) {
    memory_.reset();
  } else {
    board_ = new (memory) MemberBoard;
  }
}

SharedBoard::~SharedBoard() {
  if (board_ != nullptr) ::munmap(board_, sizeof(MemberBoard));
}

std::string SharedBoard::under_way() const { return board_ == nullptr ? "" : engine::describe_under_way(*board_); }

void join_board(int descriptor) {
  const Descriptor memory(descriptor);
  struct stat facts{};
  if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size != sizeof(MemberBoard)) return;
  engine::note_members_on(static_cast<MemberBoard*>(map_board(descriptor)));  // made by the launcher; never unmapped
}

}  // namespace assay::worker
