#pragma once
// How the command line explains itself: --help, and what is said of words that it does not know.

#include <string>

namespace CLI {
class App;
}

namespace assay::cli {

/// --help within 80 columns, of `app` and of every subcommand that is added afterwards.
void set_help_format(CLI::App& app);

/// After a parse that failed: "there is no option '--x' of 'assay bench'; did you mean '--y'?" about the first word
/// that nothing took; "" where there is none.
std::string unknown_word(const CLI::App& app);

}  // namespace assay::cli
