// A plugin fills one folder and reads another; the host does the rest.
#include <map>

#include "conformance/checks.hpp"

namespace assay::conformance {
namespace {

using backend::BackendSession;
using backend::OpenRequest;

std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().string()] = read_file(entry.path());
  }
  return files;
}

void a_filled_cache_gives_the_same_answers(const Subject& subject) {
  const TemporaryFolder cache;
  OpenRequest request = subject.request(Model::kLinear);
  request.cache_fill = cache.path();
  std::vector<float> cold;
  {
    BackendSession session = subject.backend().open(request);
    require(!session.info().from_cache, "from the cache, while filling it");
    cold = LinearSlot(subject, session, 3).run(1);
  }
  const auto filled = contents(cache.path());
  require(!filled.empty(), "nothing was left in the folder to fill");
  request.cache_fill.clear();
  request.cache_read = cache.path();
  for (int i = 0; i < 2; ++i) {
    BackendSession session = subject.backend().open(request);
    require(session.info().from_cache, "the graph was not taken from the folder that was filled");
    require(session.info().in_force.contains("precision") && session.info().inputs[0].name == "x",
            "describe says less");
    require(LinearSlot(subject, session, 3).run(1) == cold, "the answers differ");
    require(LinearSlot(subject, session, 1).run(1) == std::vector(cold.begin(), cold.begin() + 3),
            "another batch size answers otherwise");
  }
  require(contents(cache.path()) == filled, "the folder to read was written to");
}

void fixed_axes_go_into_the_cache(const Subject& subject) {
  const TemporaryFolder cache;
  OpenRequest request = subject.request(Model::kMean);
  request.shapes["x"] = {-1, 1, 4, 4};
  request.cache_fill = cache.path();
  (void)subject.backend().open(request);
  request.cache_fill.clear();
  request.cache_read = cache.path();
  BackendSession session = subject.backend().open(request);
  require(session.info().from_cache, "the graph was not taken from the cache");
  require(session.info().inputs[0].shape == Shape{-1, 1, 4, 4},
          "the input is said to be " + to_string(session.info().inputs[0].shape));
}

void an_empty_cache_folder_is_no_graph(const Subject& subject) {
  const TemporaryFolder cache;
  OpenRequest request = subject.request(Model::kLinear);
  request.cache_read = cache.path();
  try {
    BackendSession session = subject.backend().open(request);
    require(!session.info().from_cache, "a graph came from an empty folder");
    LinearSlot(subject, session, 2).run(1);
  } catch (const Error& e) {
    require(!e.message().empty(), "the error has no message");
  }
}

void a_folder_that_cannot_be_filled_is_an_error(const Subject& subject) {
  OpenRequest request = subject.request(Model::kLinear);
  request.cache_fill = subject.folder() / "there" / "is" / "none";
  require_error({ErrorCode::kFramework, ErrorCode::kIo, ErrorCode::kInvalidArgument}, "open",
                [&] { (void)subject.backend().open(request); });
}

constexpr Check kChecks[] = {
    {"a_filled_cache_gives_the_same_answers", a_filled_cache_gives_the_same_answers},
    {"fixed_axes_go_into_the_cache", fixed_axes_go_into_the_cache},
    {"an_empty_cache_folder_is_no_graph", an_empty_cache_folder_is_no_graph},
    {"a_folder_that_cannot_be_filled_is_an_error", a_folder_that_cannot_be_filled_is_an_error},
};

}  // namespace

std::span<const Check> cache_checks() { return kChecks; }

}  // namespace assay::conformance
