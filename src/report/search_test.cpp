#include "report/search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace assay::report {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

PlacedSearch on_two_devices() {
  PlacedSearch search;
  search.members = {"a.onnx", "b.onnx"};
  search.slowdown = {{1, 1.25}, {1.5, 1}};
  search.slowdown_devices = {"cpu", "gpu:0"};
  search.predicted = {{12.5, {"pipelined", {{"x", 8, 1, "cpu"}, {"y", 4, 0, "gpu:0"}}}}};
  return search;
}

TEST(SearchReport, SaysTheDevicesOfPlansAndOfMembersBesideEachOther) {
  std::ostringstream table, markdown;
  write_search(on_two_devices(), table);
  write_search_markdown(on_two_devices(), markdown);
  EXPECT_THAT(table.str(), AllOf(HasSubstr("pipelined: x cpu x8 on 1 thread, y gpu:0 x4\n"),
                                 HasSubstr("(a on cpu, b on gpu:0: of two on different devices")));
  EXPECT_THAT(markdown.str(), AllOf(HasSubstr("| x cpu x8 on 1 thread | y gpu:0 x4 |"),
                                    HasSubstr("a on cpu, b on gpu:0: of two on different devices")));
}

TEST(SearchReport, MembersOfOneNameAreToldApartEvenWhereTheyAreCut) {
  PlacedSearch search = on_two_devices();
  search.members = {"p/m.onnx", "a-name-that-has-to-be-cut.onnx", "q/a-name-that-has-to-be-cut.onnx", "q/m.onnx"};
  search.slowdown.assign(4, std::vector<double>(4, 1));
  search.predicted.clear();
  std::ostringstream table, markdown;
  write_search(search, table);
  write_search_markdown(search, markdown);
  EXPECT_THAT(table.str(), HasSubstr("              m a-name-that-h… a-name-that…#2            m#2\n"));
  EXPECT_THAT(table.str(), HasSubstr("\na-name-that-ha…#2 "));
  EXPECT_THAT(table.str(), HasSubstr("\nm#2 "));
  EXPECT_THAT(markdown.str(), HasSubstr("| m | a-name-that-has-to-be-cut | a-name-that-has-to-be-cut#2 | m#2 |"));
}

TEST(SearchReport, OfOneDeviceSaysNothingOfDevices) {
  PlacedSearch search = on_two_devices();
  search.slowdown_devices.clear();
  search.predicted = {{12.5, {"pipelined", {{"x", 8, 1}, {"y", 4, 1}}}}};
  std::ostringstream table;
  write_search(search, table);
  EXPECT_THAT(table.str(), AllOf(Not(HasSubstr("different devices")), HasSubstr("x x8 on 1 thread, y x4 on 1 thread")));
}

}  // namespace
}  // namespace assay::report
