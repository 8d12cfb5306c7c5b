#pragma once
// What a fake library is told to answer, and what it noted. The libraries of this folder have the names of NVIDIA's
// functions so that order of calls, error paths and leaks can be tested; they compute nothing.

#include <map>
#include <mutex>
#include <set>
#include <string>

namespace assay::nvidia::fake {

/// Settings are words "name=value". A function's name with a number is the error that it answers, each time
/// ("cudaMalloc=2") or the n-th time alone ("cudaMalloc@3=2"). Thread-safe.
class Script {
 public:
  /// `variable`: of the environment, with the settings to begin with.
  explicit Script(const char* variable);

  /// Forgets what was set and noted, and sets anew. What is held stays held.
  void set(const std::string& settings);
  /// Notes the call, as "function detail"; the error to answer, 0: none.
  int called(const std::string& function, const std::string& detail = {});

  [[nodiscard]] long number(const std::string& name, long fallback) const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& fallback) const;

  /// A name for the log, the same as long as the object is there and nothing is set anew: `kind` and a number from 1
  /// on, in the order in which objects are first named.
  std::string name_of(const char* kind, const void* object);
  /// Objects that are to be given back.
  void made(const void* object);
  /// False: it is none that was made.
  bool gone(const void* object);
  [[nodiscard]] long held() const;
  /// One call a line.
  [[nodiscard]] std::string log() const;

 private:
  void parse(const std::string& settings);

  mutable std::mutex mutex_;
  std::map<std::string, std::string> settings_;
  std::map<std::string, int> calls_;
  std::set<const void*> held_;
  std::map<const void*, std::string> names_;
  std::map<std::string, int> named_;  // of each kind
  std::string log_;
};

}  // namespace assay::nvidia::fake
