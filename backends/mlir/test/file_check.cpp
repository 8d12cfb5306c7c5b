#include "test/file_check.hpp"

#include <optional>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace assay::compiler::test {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

enum class Kind { kAnywhere, kNext, kNot };

struct Directive {
  Kind kind = Kind::kAnywhere;
  int count = 1;
  std::string text, whole;
};

std::optional<Directive> directive_of(const std::string& line) {
  static const std::regex form(R"(CHECK([-A-Z0-9]*):\s*(.*?)\s*$)");
  std::smatch m;
  if (!std::regex_search(line, m, form)) {
    if (line.find("CHECK") != std::string::npos) throw std::invalid_argument("no directive: " + line);
    return std::nullopt;
  }
  Directive d{Kind::kAnywhere, 1, m[2], m[0]};
  const std::string kind = m[1];
  static const std::regex counted("-COUNT-([1-9][0-9]*)");
  if (d.text.empty()) throw std::invalid_argument("nothing to look for: " + line);
  if (std::smatch number; std::regex_match(kind, number, counted)) {
    d.count = std::stoi(number[1]);
  } else if (kind == "-NEXT" || kind == "-NOT") {
    d.kind = kind == "-NEXT" ? Kind::kNext : Kind::kNot;
  } else if (!kind.empty()) {
    throw std::invalid_argument("no directive: CHECK" + kind);
  }
  return d;
}

/// A directive's text as a regular expression, and the names that its groups have.
struct Pattern {
  std::string regex;
  std::vector<std::string> names;
};

std::string literal(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && !result.ends_with("\\s+")) result += "\\s+";
    if (!blank && std::string_view("^$\\.*+?()[]{}|").find(c) != std::string_view::npos) result += '\\';
    if (!blank) result += c;
  }
  return result;
}

/// What is within [[…]]: a name that is known, or a new one and what it may be.
void add_name(const std::string& inside, const Names& names, Pattern& pattern) {
  const std::size_t colon = inside.find(':');
  if (colon != std::string::npos) {
    pattern.names.push_back(inside.substr(0, colon));
    pattern.regex += "(" + inside.substr(colon + 1) + ")";
    return;
  }
  const auto known = names.find(inside);
  if (known == names.end()) throw std::invalid_argument("nothing is called [[" + inside + "]]");
  pattern.regex += literal(known->second);
}

Pattern pattern_of(const std::string& text, const Names& names) {
  Pattern pattern;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t regex = text.find("{{", at), name = text.find("[[", at), begin = std::min(regex, name);
    pattern.regex += literal(text.substr(at, begin - at));
    if (begin == std::string::npos) break;
    std::size_t end = text.find(begin == regex ? "}}" : "]]", begin);
    if (end == std::string::npos) throw std::invalid_argument("it does not end: " + text.substr(begin));
    while (end + 2 < text.size() && text[end + 2] == text[end]) ++end;  // [[X:[0-9]]]
    const std::string inside = text.substr(begin + 2, end - begin - 2);
    if (begin == regex) {
      pattern.regex += "(?:" + inside + ")";
    } else {
      add_name(inside, names, pattern);
    }
    at = end + 2;
  }
  return pattern;
}

class Checker {
 public:
  Checker(const std::string& output, Names names) : lines_(lines_of(output)), names_(std::move(names)) {}

  /// What does not hold; "" where all does.
  std::string run(const std::string& expected) {
    bool any = false;
    for (const std::string& line : lines_of(expected)) {
      const auto d = directive_of(line);
      if (!d) continue;
      any = true;
      for (int i = 0; i < d->count; ++i) {
        const std::string trouble = d->kind == Kind::kNot ? defer(*d) : advance(*d);
        if (!trouble.empty()) return trouble;
      }
    }
    return any ? none_before(lines_.size()) : "there is nothing to check";
  }

 private:
  std::string defer(const Directive& d) {
    forbidden_.push_back({d, std::regex(pattern_of(d.text, names_).regex)});
    return "";
  }

  std::string advance(const Directive& d) {
    const Pattern pattern = pattern_of(d.text, names_);
    const std::regex regex(pattern.regex);
    const std::size_t last = d.kind == Kind::kNext ? std::min(next_ + 1, lines_.size()) : lines_.size();
    std::smatch m;
    std::size_t at = next_;
    while (at < last && !std::regex_search(lines_[at], m, regex)) ++at;
    if (at == last) return d.whole + "\n  is not found from line " + std::to_string(next_ + 1) + " on:\n" + rest();
    const std::string trouble = none_before(at);
    for (std::size_t i = 0; i < pattern.names.size(); ++i) names_[pattern.names[i]] = m[i + 1];
    next_ = at + 1;
    forbidden_.clear();
    return trouble;
  }

  std::string none_before(std::size_t end) const {
    for (const auto& [d, regex] : forbidden_) {
      for (std::size_t at = next_; at < end; ++at) {
        if (std::regex_search(lines_[at], regex)) {
          return d.whole + "\n  is in line " + std::to_string(at + 1) + ": " + lines_[at];
        }
      }
    }
    return "";
  }

  [[nodiscard]] std::string rest() const {
    constexpr std::size_t kShown = 40;
    std::string text;
    for (std::size_t at = next_; at < std::min(next_ + kShown, lines_.size()); ++at) text += lines_[at] + "\n";
    return text;
  }

  struct Forbidden {
    Directive directive;
    std::regex regex;
  };
  Lines lines_;
  Names names_;
  std::size_t next_ = 0;
  std::vector<Forbidden> forbidden_;
};

}  // namespace

testing::AssertionResult file_check(const std::string& output, const std::string& expected, Names names) {
  try {
    const std::string trouble = Checker(output, std::move(names)).run(expected);
    if (trouble.empty()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << trouble;
  } catch (const std::exception& e) {  // std::regex_error, too
    return testing::AssertionFailure() << e.what();
  }
}

}  // namespace assay::compiler::test
