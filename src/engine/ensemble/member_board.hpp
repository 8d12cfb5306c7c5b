#pragma once
// Which members a process has under way, told in memory that outlives it: whoever started the process reads there whose
// crash or hang it was.

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace assay::engine {

/// All zeros: nothing is under way. Has no pointers, and is the same in every process that maps it.
struct MemberBoard {
  struct Place {
    std::atomic<std::uint32_t> taken{0}, loading{0}, computing{0};  ///< the last two: how many times at once
    std::array<char, 116> name{};                                   ///< cut to this, ended by a zero
  };
  static constexpr std::size_t kPlaces = 64;  ///< members beyond are not told of
  std::array<Place, kPlaces> places;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "another process reads it");

/// From now on members of this process are noted there; nullptr (as at the start): nowhere. It stays until the end.
void note_members_on(MemberBoard* board);

/// "member 'b' was being loaded", "members 'a', 'b' were computing"; "": none. Whatever lies in the memory, control
/// characters are left out.
std::string describe_under_way(const MemberBoard& board);

class UnderWay;

/// A member's place on the board of the process; costs two additions a batch, and nothing where there is no board.
class MemberNote {
 public:
  MemberNote() = default;
  explicit MemberNote(const std::string& member);
  ~MemberNote();
  MemberNote(MemberNote&& other) noexcept : place_(std::exchange(other.place_, nullptr)) {}
  MemberNote& operator=(MemberNote&& other) noexcept {
    std::swap(place_, other.place_);
    return *this;
  }

  [[nodiscard]] UnderWay loading() const;
  [[nodiscard]] UnderWay computing() const;

 private:
  friend class UnderWay;
  MemberBoard::Place* place_ = nullptr;
};

/// One member or several are under way for as long as it lives, in which their notes stay where they are.
class UnderWay {
 public:
  using Count = std::atomic<std::uint32_t> MemberBoard::Place::*;
  UnderWay(std::span<const MemberNote> notes, Count what) : notes_(notes), what_(what) {
    for (const MemberNote& note : notes_) {
      if (note.place_ != nullptr) (note.place_->*what_).fetch_add(1, std::memory_order_relaxed);
    }
  }
  ~UnderWay() {
    for (const MemberNote& note : notes_) {
      if (note.place_ != nullptr) (note.place_->*what_).fetch_sub(1, std::memory_order_relaxed);
    }
  }
  UnderWay(UnderWay&& other) noexcept
      : notes_(std::exchange(other.notes_, std::span<const MemberNote>())), what_(other.what_) {}
  UnderWay& operator=(UnderWay&&) = delete;

 private:
  std::span<const MemberNote> notes_;
  Count what_;
};

inline UnderWay MemberNote::loading() const { return {{this, 1}, &MemberBoard::Place::loading}; }
inline UnderWay MemberNote::computing() const { return {{this, 1}, &MemberBoard::Place::computing}; }

}  // namespace assay::engine
