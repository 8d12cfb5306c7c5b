// One child runs the tests in turn and says each outcome through a pipe. Where it dies, the next child begins behind
// the test that it died of: as many processes as there are crashes, and one.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <stdexcept>

#include <fmt/format.h>

#include "conformance/node_tests.hpp"

namespace assay::conformance {
namespace {

std::string one_line(std::string text) {
  for (char& c : text) c = c == '\n' || c == '\r' ? ' ' : c;
  return text;
}

NodeOutcome run_caught(const NodeTest& test, const std::string& backend) {
  try {
    return test.run(backend);
  } catch (const std::exception& e) {
    return {NodeOutcome::Kind::kFailed, e.what()};
  } catch (...) {
    return {NodeOutcome::Kind::kFailed, "something that is no std::exception was thrown"};
  }
}

[[noreturn]] void run_child(std::span<const NodeTest> tests, const std::string& backend, int out, unsigned seconds) {
  std::FILE* pipe = ::fdopen(out, "w");
  for (const NodeTest& test : tests) {
    ::alarm(seconds);  // its default is to end the process, whatever a framework's thread waits for
    const NodeOutcome outcome = run_caught(test, backend);
    fmt::print(pipe, "{} {}\n", static_cast<int>(outcome.kind), one_line(outcome.why));
    std::fflush(pipe);
  }
  ::_exit(0);  // a framework's own end is not what is tested
}

std::string cause_of_death(int status, unsigned seconds) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return fmt::format("not done within {} s", seconds);
  if (WIFSIGNALED(status)) return fmt::format("the process died: {}", ::strsignal(WTERMSIG(status)));
  return fmt::format("the process ended itself with status {}", WEXITSTATUS(status));
}

/// How many of the tests have an outcome now.
std::size_t run_until_death(std::span<const NodeTest> tests, const std::string& backend,
                            const std::function<void(const NodeTest&, const NodeOutcome&)>& report, unsigned seconds) {
  int ends[2];
  std::fflush(nullptr);  // or the child has it to print, too
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe can be had");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process can be had");
  if (child == 0) {
    ::close(ends[0]);
    run_child(tests, backend, ends[1], seconds);
  }
  ::close(ends[1]);
  std::FILE* pipe = ::fdopen(ends[0], "r");
  std::size_t done = 0, capacity = 0;
  char* line = nullptr;
  while (::getline(&line, &capacity, pipe) > 0) {
    std::string text(line);
    text.pop_back();
    report(tests[done++], {static_cast<NodeOutcome::Kind>(text[0] - '0'), text.substr(2)});
  }
  std::free(line);
  std::fclose(pipe);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (done < tests.size()) report(tests[done++], {NodeOutcome::Kind::kFailed, cause_of_death(status, seconds)});
  return done;
}

}  // namespace

void run_apart(const std::vector<NodeTest>& tests, const std::string& backend,
               const std::function<void(const NodeTest&, const NodeOutcome&)>& report, unsigned seconds_for_each) {
  for (std::size_t done = 0; done < tests.size();) {
    done += run_until_death(std::span(tests).subspan(done), backend, report, seconds_for_each);
  }
}

}  // namespace assay::conformance
