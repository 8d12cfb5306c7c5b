#include "input/labelled.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "input/image.hpp"

namespace assay::input {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_labelled(const fs::path& where, const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, why, where.string());
}

std::vector<std::string> lines_of(const fs::path& file, const char* wanted) {
  constexpr std::uint64_t kMaxBytes = 1 << 28;
  return read_lines(file, kMaxBytes, fmt::format("this is no text; {}", wanted));
}

std::string trimmed(const std::string& text) {
  constexpr const char* kBlanks = " \t";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Numbers of classes by their names.
class Classes {
 public:
  explicit Classes(const fs::path& file) : file_(file) {
    if (file.empty()) return;
    for (const std::string& line : lines_of(file, "a line a class is wanted")) names_.push_back(trimmed(line));
    while (!names_.empty() && names_.back().empty()) names_.pop_back();
    if (names_.empty()) refuse_labelled(file, "there is no class in this file; a line a class is wanted");
    for (std::size_t i = 0; i < names_.size(); ++i) numbers_[names_[i]].push_back(static_cast<std::int64_t>(i));
  }
  [[nodiscard]] bool given() const { return !file_.empty(); }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool has(const std::string& name) const { return numbers_.contains(name); }
  /// Of a name that is there once, or not at all: lists may have names twice (ImageNet's has two cranes), as long as
  /// nobody means one of them.
  [[nodiscard]] std::optional<std::int64_t> find(const std::string& name) const {
    const auto it = numbers_.find(name);
    return it == numbers_.end() ? std::nullopt : std::optional(it->second.front());
  }
  /// "": it is not. Else why the name means no class of its own.
  [[nodiscard]] std::string why_ambiguous(const std::string& name) const {
    const auto it = numbers_.find(name);
    if (it == numbers_.end() || it->second.size() == 1) return "";
    return fmt::format("the class '{}' is there twice, in lines {} and {} of {}", name, it->second[0] + 1,
                       it->second[1] + 1, file_.string());
  }

 private:
  fs::path file_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<std::int64_t>> numbers_;
};

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

/// What lies in a folder, sorted by name; hidden entries are left out.
struct Contents {
  std::vector<fs::path> folders, images, others;
};

Contents contents_of(const fs::path& folder) {
  Contents contents;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) continue;
    std::error_code unknown;
    if (fs::is_directory(entry->path(), unknown)) {
      contents.folders.push_back(entry->path());
    } else if (is_image_name(entry->path())) {
      contents.images.push_back(entry->path());
    } else {
      contents.others.push_back(entry->path());
    }
  }
  if (error) throw Error(ErrorCode::kIo, "cannot be looked at: " + error.message(), folder.string());
  for (auto* paths : {&contents.folders, &contents.images, &contents.others}) std::sort(paths->begin(), paths->end());
  return contents;
}

std::int64_t class_of_folder(const std::string& name, const Classes& classes, const LabelledQuestion& question,
                             std::size_t place) {
  if (!classes.given()) return static_cast<std::int64_t>(place);
  if (const std::string why = classes.why_ambiguous(name); !why.empty()) {
    refuse_labelled(question.images / name, why +
                                                ": give each a name of its own, or say with --labels FILE (lines of "
                                                "file,label) which number it is");
  }
  const auto number = classes.find(name);
  if (number) return *number;
  refuse_labelled(question.images / name, fmt::format("there is no class '{}' in {}: rename the folder, or add a line "
                                                      "where the class has its place",
                                                      name, question.classes.string()));
}

/// What lies in the classes' folders and is no image there: nobody is to believe that it was looked at.
class PassedOver {
 public:
  void add(const Contents& contents) {
    add(contents.others, files_);
    add(contents.folders, folders_);
  }
  void warn(std::vector<std::string>& warnings) const {
    warn(files_, "no .jpg, .jpeg or .png", warnings);
    warn(folders_, "a folder within a class's folder, of which the images are not looked at", warnings);
  }

 private:
  struct Kind {
    std::size_t count = 0;
    fs::path first;
  };
  static void add(const std::vector<fs::path>& paths, Kind& kind) {
    if (kind.count == 0 && !paths.empty()) kind.first = paths.front();
    kind.count += paths.size();
  }
  static void warn(const Kind& kind, const char* what, std::vector<std::string>& warnings) {
    if (kind.count == 0) return;
    const std::string more = kind.count > 1 ? fmt::format(", and so are {} more", kind.count - 1) : "";
    warnings.push_back(fmt::format("{} was passed over{}: it is {}", kind.first.string(), more, what));
  }
  Kind files_, folders_;
};

/// "a.png, and 3 more"
std::string first_and_more(const std::vector<fs::path>& paths) {
  const std::string more = paths.size() > 1 ? fmt::format(", and {} more", paths.size() - 1) : "";
  return paths.front().string() + more;
}

LabelledImages by_folder(const LabelledQuestion& question, const Classes& classes) {
  const Contents contents = contents_of(question.images);
  if (contents.folders.empty()) {
    refuse_labelled(question.images, contents.images.empty()
                                         ? "there is neither a subfolder for each class nor an image in this folder"
                                         : "there are images and no subfolder for each class: say with --labels FILE "
                                           "(lines of file,label) what they show");
  }
  if (!contents.images.empty()) {
    refuse_labelled(contents.images.front(), "an image beside the subfolders of the classes: move it into one of them");
  }
  LabelledImages result;
  result.classes = classes.names();
  bool misleading = false;
  std::vector<fs::path> empty;
  PassedOver passed_over;
  for (std::size_t f = 0; f < contents.folders.size(); ++f) {
    const std::string name = contents.folders[f].filename().string();
    const std::int64_t label = class_of_folder(name, classes, question, f);
    const Contents within = contents_of(contents.folders[f]);
    const std::vector<fs::path>& images = within.images;
    passed_over.add(within);
    // Its class keeps its number: the others' must not change with what a class has.
    if (images.empty()) empty.push_back(contents.folders[f]);
    result.files.insert(result.files.end(), images.begin(), images.end());
    result.labels.insert(result.labels.end(), images.size(), label);
    if (classes.given()) continue;
    result.classes.push_back(name);
    misleading = misleading || whole_number(name).value_or(label) != label;
  }
  if (result.files.empty()) {
    refuse_labelled(question.images, "there is no .jpg, .jpeg or .png in any of the classes' folders");
  }
  if (!empty.empty()) {
    result.notes.push_back(
        fmt::format("{}: there is no .jpg, .jpeg or .png in this class's folder, so nothing is judged of it",
                    first_and_more(empty)));
  }
  passed_over.warn(result.warnings);
  if (misleading) {
    result.warnings.emplace_back(
        "the subfolders' names are numbers, but classes are numbered in the order of the names (10 comes before 2); "
        "--classes FILE says which is which");
  }
  return result;
}

struct Field {
  std::string text;
  bool quoted = false;
  std::size_t begin = 0;  ///< in the line
};

/// The fields of a line of comma-separated values (RFC 4180, but that blanks around a field are none of it). Throws
/// std::runtime_error, what is wrong.
class FieldReader {
 public:
  explicit FieldReader(const std::string& line) : line_(line) {}

  std::vector<Field> read() {
    std::vector<Field> fields;
    do {
      fields.push_back(next());
    } while (at_++ < line_.size());
    return fields;
  }

 private:
  /// Up to its comma, or the line's end.
  Field next() {
    const std::size_t begin = std::min(line_.find_first_not_of(" \t", at_), line_.size());
    if (begin < line_.size() && line_[begin] == '"') {
      Field field{"", true, at_};
      at_ = begin + 1;
      read_quoted(field.text);
      return field;
    }
    const std::size_t end = std::min(line_.find(',', at_), line_.size());
    Field field{trimmed(line_.substr(at_, end - at_)), false, at_};
    at_ = end;
    return field;
  }

  void read_quoted(std::string& text) {
    for (;; ++at_) {
      if (at_ >= line_.size()) throw std::runtime_error("a field begins with a quote, and there is none at its end");
      if (line_[at_] == '"') {
        if (at_ + 1 >= line_.size() || line_[at_ + 1] != '"') break;
        ++at_;
      }
      text += line_[at_];
    }
    ++at_;
    const std::size_t end = std::min(line_.find(',', at_), line_.size());
    if (!trimmed(line_.substr(at_, end - at_)).empty()) {
      throw std::runtime_error(
          fmt::format("there is more behind the quote that ends '{}'; a quote within a field is doubled", text));
    }
    at_ = end;
  }

  const std::string& line_;
  std::size_t at_ = 0;
};

/// The lines of a table, one at a time.
class Table {
 public:
  Table(const LabelledQuestion& question, const Classes& classes) : question_(question), classes_(classes) {}

  LabelledImages read() {
    const std::vector<std::string> lines = lines_of(question_.labels, "lines of file,label are wanted");
    bool first = true;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (trimmed(lines[i]).empty()) continue;
      const Row row = parsed(lines[i], i + 1);
      if (!first || !are_titles(row)) add(row, i + 1);
      first = false;
    }
    if (result_.files.empty()) refuse_labelled(question_.labels, "there is no line of file,label in this file");
    result_.classes = classes_.names();
    note_unlisted();
    return std::move(result_);
  }

 private:
  struct Row {
    std::string name, label;
  };

  /// Beside images that have a line: nobody is to believe that they were judged.
  void note_unlisted() {
    std::set<fs::path> folders{question_.images};
    for (const fs::path& file : result_.files) folders.insert(file.lexically_normal().parent_path());
    std::set<fs::path> unlisted;
    for (const fs::path& folder : folders) {
      for (const fs::path& image : contents_of(folder).images) {
        if (!seen_.contains(image.lexically_normal().string())) unlisted.insert(image.lexically_normal());
      }
    }
    if (unlisted.empty()) return;
    result_.notes.push_back(fmt::format("{} of {} images have no line in {}, and are left out: {}", unlisted.size(),
                                        unlisted.size() + result_.files.size(), question_.labels.string(),
                                        first_and_more({unlisted.begin(), unlisted.end()})));
  }

  [[noreturn]] void refuse_line(std::size_t number, const std::string& why) const {
    refuse_labelled(question_.labels, fmt::format("line {}: {}", number, why));
  }

  [[nodiscard]] Row parsed(const std::string& line, std::size_t number) const {
    std::vector<Field> fields;
    try {
      fields = FieldReader(line).read();
    } catch (const std::runtime_error& e) {
      refuse_line(number, e.what());
    }
    Row row;
    if (fields.size() > 1) row.label = fields.back().text;
    if (fields.size() == 2) row.name = fields.front().text;
    const bool plain = std::none_of(fields.begin(), fields.end() - 1, [](const Field& f) { return f.quoted; });
    // Names of files may hold commas.
    if (fields.size() > 2 && plain) row.name = trimmed(line.substr(0, fields.back().begin - 1));
    if (row.name.empty() || row.label.empty()) {
      refuse_line(number, fmt::format("'{}' is not of the form file,label", line));
    }
    return row;
  }

  /// "file,label", "Image,Class": an image's name has a dot, and a label is a class.
  [[nodiscard]] bool are_titles(const Row& row) const {
    return row.name.find('.') == std::string::npos && !classes_.has(row.label) && !whole_number(row.label);
  }

  void add(const Row& row, std::size_t number) {
    const auto& [name, label] = row;
    const fs::path file = question_.images / name;
    std::error_code error;
    if (!fs::is_regular_file(file, error)) {
      refuse_line(number, fmt::format("there is no file '{}' in {}", name, question_.images.string()));
    }
    if (!is_image_name(file)) refuse_line(number, fmt::format("'{}' is no .jpg, .jpeg or .png", name));
    if (!seen_.insert(file.lexically_normal().string()).second) {
      refuse_line(number, fmt::format("'{}' is there twice", name));
    }
    result_.files.push_back(file);
    result_.labels.push_back(label_of(label, number));
  }

  [[nodiscard]] std::int64_t label_of(const std::string& text, std::size_t number) const {
    if (const std::string why = classes_.why_ambiguous(text); !why.empty()) {
      refuse_line(number, why + ": give the class's number, from 0 on");
    }
    if (const auto known = classes_.find(text)) return *known;
    const auto label = whole_number(text);
    if (!label) {
      refuse_line(number,
                  classes_.given()
                      ? fmt::format("'{}' is neither a class of {} nor a number", text, question_.classes.string())
                      : fmt::format("'{}' is no number of a class; --classes FILE gives names to them", text));
    }
    if (classes_.given() && *label >= std::ssize(classes_.names())) {
      refuse_line(number, fmt::format("there is no class {}: {} has {}, from 0 on", *label, question_.classes.string(),
                                      classes_.names().size()));
    }
    return *label;
  }

  const LabelledQuestion& question_;
  const Classes& classes_;
  LabelledImages result_;
  std::set<std::string> seen_;
};

}  // namespace

LabelledImages read_labelled(const LabelledQuestion& question) {
  std::error_code error;
  if (!fs::is_directory(question.images, error)) {
    refuse_labelled(question.images, "there is no such folder; give the one that holds the labelled images");
  }
  const Classes classes(question.classes);
  return question.labels.empty() ? by_folder(question, classes) : Table(question, classes).read();
}

}  // namespace assay::input
