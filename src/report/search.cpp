// What a search for a placement found, for people.
#include "report/search.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "core/case.hpp"
#include "report/format.hpp"

namespace assay::report {
namespace {

/// Cut, but for the number that tells members of one name apart.
std::string cut_name(const std::string& name, std::size_t columns) {
  const std::size_t number = std::min(name.rfind('#'), name.size());
  const std::string tail = name.substr(number);
  if (width(name) <= columns || width(tail) + 1 >= columns) return cut(name, columns);
  return cut(name.substr(0, number), columns - width(tail)) + tail;
}

std::string seat_text(const Placement::Seat& seat) {
  const std::string threads =
      seat.threads > 0 ? " on " + counted(static_cast<std::size_t>(seat.threads), "thread") : std::string();
  return fmt::format("{} x{}{}", engine_of(seat), seat.batch_size, threads);
}

/// "a on cpu, b on gpu:0"; "": all were on one device.
std::string where_text(const PlacedSearch& search) {
  std::vector<std::string> texts;
  const std::vector<std::string> names = member_names(search.members);
  for (std::size_t m = 0; m < std::min(names.size(), search.slowdown_devices.size()); ++m) {
    texts.push_back(fmt::format("{} on {}", names[m], search.slowdown_devices[m]));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

constexpr const char* kAcross =
    "of two on different devices each is beside itself, too, so that this is what the other adds";

std::string slower_text(double slower) { return std::isnan(slower) ? "–" : fmt::format("{:.2f}", slower); }

void write_slowdown(const PlacedSearch& search, std::ostream& out) {
  if (search.slowdown.empty()) {
    if (search.members.size() > 1)
      out << "how much members slow each other down was not measured: taken as not at all\n\n";
    return;
  }
  constexpr std::size_t kName = 18, kNarrowest = 6;
  const std::vector<std::string> names = member_names(search.members);
  std::size_t widest = 13;
  for (const std::string& name : names) widest = std::max(widest, width(name) + 2);
  const std::size_t cell = std::clamp((kColumns - kName) / std::max<std::size_t>(names.size(), 1), kNarrowest, widest);
  out << "a member's time beside another (column) over that beside itself, a thread each:\n" << pad_right("", kName);
  for (const std::string& name : names) out << pad_left(cut_name(name, cell - 1), cell);
  out << "\n";
  for (std::size_t i = 0; i < std::min(names.size(), search.slowdown.size()); ++i) {
    out << pad_right(cut_name(names[i], kName - 1), kName);
    for (const double slower : search.slowdown[i]) out << pad_left(slower_text(slower), cell);
    out << "\n";
  }
  if (const std::string where = where_text(search); !where.empty()) {
    out << wrap(fmt::format("({}: {})", where, kAcross), kColumns) << "\n";
  }
  out << "\n";
}

}  // namespace

void write_search(const PlacedSearch& search, std::ostream& out) {
  constexpr std::size_t kRate = 15;
  write_slowdown(search, out);
  out << "predicted, the best first (each member's engine, batch size and threads;\nwhat was measured is above):\n";
  for (const PlacedSearch::Prediction& p : search.predicted) {
    std::vector<std::string> seats;
    for (const Placement::Seat& seat : p.placement.seats) seats.push_back(seat_text(seat));
    out << hang(fmt::format("  {:>7} 1/s", number(p.rate)),
                fmt::format("{}: {}", p.placement.strategy, fmt::join(seats, ", ")), kRate, kColumns)
        << "\n";
  }
}

void write_search_markdown(const PlacedSearch& search, std::ostream& out) {
  const std::vector<std::string> members = member_names(search.members);
  std::string names, rule;
  for (const std::string& name : members) {
    names += " " + markdown_cell(name) + " |";
    rule += " --- |";
  }
  out << "\n## Search\n\n";
  if (!search.slowdown.empty()) {
    out << "A member's time beside another (column) over that beside itself, a thread each:\n\n";
    out << "| |" << names << "\n| --- |" << rule << "\n";
    for (std::size_t i = 0; i < std::min(members.size(), search.slowdown.size()); ++i) {
      out << "| " << markdown_cell(members[i]) << " |";
      for (const double slower : search.slowdown[i]) out << fmt::format(" {} |", slower_text(slower));
      out << "\n";
    }
    if (const std::string where = where_text(search); !where.empty()) out << fmt::format("\n{}: {}.\n", where, kAcross);
    out << "\n";
  }
  out << "Predicted, the best first (each member's engine, batch size and threads):\n\n";
  out << "| throughput, 1/s | strategy |" << names << "\n| ---: | --- |" << rule << "\n";
  for (const PlacedSearch::Prediction& p : search.predicted) {
    out << fmt::format("| {} | {} |", number(p.rate), markdown_cell(p.placement.strategy));
    for (const Placement::Seat& seat : p.placement.seats) out << " " << markdown_cell(seat_text(seat)) << " |";
    out << "\n";
  }
}

}  // namespace assay::report
