#pragma once
// What is done in a child process: it may load frameworks, crash or hang, and this process stays as it is.

#include <chrono>
#include <functional>
#include <string>

namespace assay::bench {

struct Reply {
  bool ok = false;
  std::string
      text;  ///< what `work` returned; or why there is nothing: what it threw, its signal, or that it took too long
};

/// This process opens no framework, so a child of it is as good as a new one. It is killed when it has taken `most`,
/// in which time that this process was stopped for does not count: the child was, too, most likely.
Reply in_a_child(const std::function<std::string()>& work, std::chrono::milliseconds most);

}  // namespace assay::bench
