#pragma once
// Which members a process has under way, told in memory that outlives it: whoever started the process reads there whose
// crash or hang it was.

#include <array>
#include <atomic>
#include <cstdint>
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

  /// Under way for as long as it lives.
  class UnderWay {
   public:
    explicit UnderWay(std::atomic<std::uint32_t>* count) : count_(count) {
      if (count_ != nullptr) count_->fetch_add(1, std::memory_order_relaxed);
    }
    ~UnderWay() {
      if (count_ != nullptr) count_->fetch_sub(1, std::memory_order_relaxed);
    }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;

   private:
    std::atomic<std::uint32_t>* count_;
  };
  [[nodiscard]] UnderWay loading() const { return UnderWay(place_ == nullptr ? nullptr : &place_->loading); }
  [[nodiscard]] UnderWay computing() const { return UnderWay(place_ == nullptr ? nullptr : &place_->computing); }

 private:
  MemberBoard::Place* place_ = nullptr;
};

}  // namespace assay::engine
