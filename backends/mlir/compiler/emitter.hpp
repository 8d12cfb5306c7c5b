#pragma once
// Writes the body of a function in MLIR's text form.

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "expression.hpp"

namespace assay::compiler {

/// A sum of multiples of indices: c0 * %a + c1 * %b + constant.
struct Affine {
  std::int64_t constant = 0;
  std::vector<std::pair<std::string, std::int64_t>> terms;

  Affine& add(const std::string& index, std::int64_t factor) {
    if (factor != 0) terms.emplace_back(index, factor);
    return *this;
  }
};

/// MLIR's type of a value in a register: "f32", or with a width "vector<16xf32>". A bool is i1.
std::string register_type(Element element, int width);
/// The same in memory: a bool is a byte.
std::string memory_type(Element element, int width);

class Emitter {
 public:
  /// A name that is not taken.
  std::string fresh() { return "%" + std::to_string(next_++); }
  void line(const std::string& text) { body_ += std::string(indent_, ' ') + text + "\n"; }
  /// `%n = text`; answers %n.
  std::string let(const std::string& text);
  /// An index; the same one again where it has been asked for before.
  std::string index(std::int64_t value);
  /// A number of an expression, in each of `width` lanes.
  std::string number(double value, Element element, int width);
  std::string affine(const Affine& sum);

  using Values = std::vector<std::string>;
  /// for (i = from; i < to; i += step), carrying values of these types; answers their last. `body` answers the next
  /// ones.
  Values loop(const std::string& from, const std::string& to, std::int64_t step, const Values& carried,
              const std::vector<std::string>& types,
              const std::function<Values(const std::string&, const Values&)>& body);
  void loop(const std::string& from, const std::string& to, std::int64_t step,
            const std::function<void(const std::string&)>& body);

  void when(const std::string& condition, const std::function<void()>& body);

  /// One element, or `width` that lie beside each other; as an expression takes them.
  std::string load(const std::string& buffer, const std::string& buffer_type, const std::string& at, Element element,
                   int width);
  void store(const std::string& value, const std::string& buffer, const std::string& buffer_type, const std::string& at,
             Element element, int width);
  std::string broadcast(const std::string& value, Element element, int width);
  /// The expression's value; `inputs` in registers.
  std::string evaluate(const Expression& expression, const Values& inputs, int width) {
    return evaluate_terms(expression, inputs, width).back();
  }
  /// The values of all its terms.
  Values evaluate_terms(const Expression& expression, const Values& inputs, int width);

  /// The whole function. `arguments`: names and types; behind them come %begin, %end and %part.
  [[nodiscard]] std::string function(const std::vector<std::pair<std::string, std::string>>& arguments) const;

 private:
  std::string constant(const std::string& text);  ///< at the function's beginning, each once
  std::string sigmoid(const std::string& x, int width);
  std::string divided(const Term& term, const Values& arguments, int width);
  std::string term(const Term& term, const Values& arguments, const Expression& expression, int width);

  int next_ = 0;
  std::size_t indent_ = 2;
  std::string body_;
  std::map<std::string, std::string> constants_;  // text → name
  std::vector<std::string> constant_lines_;
};

}  // namespace assay::compiler
