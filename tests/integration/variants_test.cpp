// An engine whose option makes a variant of it: both are measured in one run, and each has its row.
#include <nlohmann/json.hpp>

#include "integration/cli_fixture.hpp"

namespace assay::integration {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST_F(CliTest, TheCompilersMathIsTwoRowsOfOneRun) {
  for (const char* name : {"ASSAY_ONNXRUNTIME_PATH", "VIRTUAL_ENV"}) {
    if (const char* value = std::getenv(name)) environment_[name] = value;
  }
  const Result r = assay({"bench", "tiny-resnet", "--backend", "mlir", "--ablate", "math", "--duration", "50ms"});
  ASSERT_EQ(r.status, 0) << r.err << r.out;
  EXPECT_THAT(r.out, ContainsRegex("\nmlir \\(winograd\\) +1 +[0-9]"));
  EXPECT_THAT(r.out, ContainsRegex("\nmlir \\(strict\\) +1 +[0-9]"));
  EXPECT_THAT(r.out, Not(HasSubstr("with math=strict:")));
  const auto j = nlohmann::json::parse(assay({"results", "show", "--json"}).out);
  for (const char* name : {"winograd", "strict"}) {
    EXPECT_THAT(j["recommendation"]["because"].get<std::string>(), HasSubstr(std::string("mlir (") + name + ")"));
  }
  EXPECT_THAT(j["recommendation"]["because"].get<std::string>(), HasSubstr("is --option mlir.math="));
  const std::string markdown = assay({"results", "export", "--format", "md"}).out;
  EXPECT_THAT(markdown, HasSubstr("| tiny-resnet | mlir (winograd) |"));
  EXPECT_THAT(markdown, HasSubstr("| tiny-resnet | mlir (strict) |"));
}

}  // namespace
}  // namespace assay::integration
