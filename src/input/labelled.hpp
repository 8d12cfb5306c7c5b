#pragma once
// Images whose classes are known: a folder a class, or a table.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace assay::input {

struct LabelledQuestion {
  std::filesystem::path images;   ///< a folder with a subfolder for each class, or with the images themselves
  std::filesystem::path labels;   ///< then: lines "file,label", the file below `images`; "": by subfolder
  std::filesystem::path classes;  ///< a line a class; "": subfolders are numbered in the order of their names
};

struct LabelledImages {
  std::vector<std::filesystem::path> files;
  std::vector<std::int64_t> labels;   ///< the number of each file's class
  std::vector<std::string> classes;   ///< names by number; empty where labels are numbers alone
  std::vector<std::string> notes;     ///< what is left out, as may well be meant
  std::vector<std::string> warnings;  ///< what may not be meant
};

/// Labels are looked up in `classes` first, where a name may be twice as long as nobody means it, and else are numbers.
/// A field may be in quotes (a quote in it doubled) and have blanks around it; a name with commas needs no quotes where
/// the label is all behind the last comma. Lines that are empty are none, nor is a first one whose label is no label
/// and whose file is no name with a dot: titles. Throws Error(kInvalidArgument) where there is no image, images of
/// no class or of two, a class that `classes` lacks, and a line that is none, by its number; Error(kIo).
LabelledImages read_labelled(const LabelledQuestion& question);

}  // namespace assay::input
