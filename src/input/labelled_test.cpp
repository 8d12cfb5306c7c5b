#include "input/labelled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/error.hpp"
#include "base/file.hpp"

namespace assay::input {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Labelled : public testing::Test {
 protected:
  /// Nothing is decoded here: an empty file will do.
  void image(const std::string& name) const { text("images/" + name, ""); }
  void text(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    write_file_atomically(folder_.path() / name, content);
  }
  [[nodiscard]] LabelledImages read(const char* labels = "", const char* classes = "") const {
    const auto file = [&](const char* name) { return *name == 0 ? std::filesystem::path() : folder_.path() / name; };
    return read_labelled({folder_.path() / "images", file(labels), file(classes)});
  }
  [[nodiscard]] std::string why_refused(const char* labels = "", const char* classes = "") const {
    try {
      (void)read(labels, classes);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      return e.what();
    }
    return "accepted";
  }
  [[nodiscard]] static std::vector<std::string> names(const LabelledImages& images) {
    std::vector<std::string> all;
    for (const auto& file : images.files) all.push_back(file.filename().string());
    return all;
  }
  TemporaryFolder folder_;
};

TEST_F(Labelled, SubfoldersAreClassesInTheOrderOfTheirNames) {
  for (const char* name : {"owl/b.png", "owl/a.JPG", "owl/notes.txt", "cat/z.jpeg", ".thumbnails/x.png"}) image(name);
  const LabelledImages images = read();
  EXPECT_THAT(names(images), ElementsAre("z.jpeg", "a.JPG", "b.png"));
  EXPECT_THAT(images.labels, ElementsAre(0, 1, 1));
  EXPECT_THAT(images.classes, ElementsAre("cat", "owl"));
}

TEST_F(Labelled, WhatIsPassedOverInAClassIsSaid) {
  for (const char* name : {"cat/a.png", "owl/a.png", "owl/.hidden", "readme.txt"}) image(name);
  EXPECT_THAT(read().warnings, IsEmpty());
  for (const char* name : {"owl/b.webp", "cat/notes.txt", "owl/more/c.png"}) image(name);
  EXPECT_THAT(read().warnings,
              ElementsAre(testing::AllOf(HasSubstr("cat/notes.txt was passed over, and so are 1 more"),
                                         HasSubstr("no .jpg, .jpeg or .png")),
                          testing::AllOf(HasSubstr("owl/more was passed over: "), HasSubstr("within a class's"))));
}

TEST_F(Labelled, AClassOfANameThatIsThereTwiceIsRefusedOnlyWhereItIsMeant) {
  for (const char* name : {"owl/a.png", "cat/a.png"}) image(name);
  text("classes.txt", "crane\nowl\ncrane\ncat\n");
  EXPECT_THAT(read("", "classes.txt").labels, ElementsAre(3, 1));
  text("labels.csv", "owl/a.png,owl\ncat/a.png,2\n");
  EXPECT_THAT(read("labels.csv", "classes.txt").labels, ElementsAre(1, 2));
  text("labels.csv", "owl/a.png,crane\n");
  EXPECT_THAT(why_refused("labels.csv", "classes.txt"),
              testing::AllOf(HasSubstr("line 1: the class 'crane' is there twice, in lines 1 and 3 of"),
                             HasSubstr("give the class's number")));
  image("crane/a.png");
  EXPECT_THAT(why_refused("", "classes.txt"),
              testing::AllOf(HasSubstr("the class 'crane' is there twice"), HasSubstr("--labels FILE")));
}

TEST_F(Labelled, AClassWithoutAnImageKeepsItsNumberAndIsSaid) {
  for (const char* name : {"ant/a.png", "owl/a.png"}) image(name);
  for (const char* name : {"images/bee", "images/cat"}) std::filesystem::create_directory(folder_.path() / name);
  const LabelledImages images = read();
  EXPECT_THAT(images.labels, ElementsAre(0, 3));
  EXPECT_EQ(images.classes.size(), 4U);
  EXPECT_THAT(images.notes, ElementsAre(HasSubstr("images/bee, and 1 more: there is no .jpg")));
}

TEST_F(Labelled, ImagesWithoutALineAreCounted) {
  for (const char* name : {"a.png", "b.png", "c.png", "more/d.png", "more/e.png", "other/f.png"}) image(name);
  text("labels.csv", "b.png,1\n./more/d.png,0\n");
  EXPECT_THAT(read("labels.csv").notes, ElementsAre(testing::AllOf(HasSubstr("3 of 5 images have no line in "),
                                                                   HasSubstr("images/a.png, and 2 more"))));
  text("labels.csv", "a.png,1\nb.png,1\nc.png,1\n");
  EXPECT_THAT(read("labels.csv").notes, IsEmpty());
}

TEST_F(Labelled, SubfoldersAreLookedUpAmongTheClasses) {
  for (const char* name : {"owl/a.png", "cat/a.png"}) image(name);
  text("classes.txt", "ant\r\nowl\r\n\r\ncat\r\n");
  const LabelledImages images = read("", "classes.txt");
  EXPECT_THAT(images.labels, ElementsAre(3, 1));
  EXPECT_EQ(images.classes.size(), 4U);
  text("classes.txt", "ant\nowl\n");
  EXPECT_THAT(why_refused("", "classes.txt"), HasSubstr("there is no class 'cat' in"));
  text("classes.txt", "owl\ncat\nowl\n");
  EXPECT_THAT(why_refused("", "classes.txt"), HasSubstr("the class 'owl' is there twice, in lines 1 and 3 of"));
  text("classes.txt", "\n");
  EXPECT_THAT(why_refused("", "classes.txt"), HasSubstr("there is no class in this file"));
}

TEST_F(Labelled, NumbersThatAreNotTheClassesOwnAreWarnedOf) {
  for (const char* name : {"0/a.png", "1/a.png", "10/a.png", "2/a.png"}) image(name);
  EXPECT_THAT(read().warnings, ElementsAre(HasSubstr("10 comes before 2")));
}

TEST_F(Labelled, ATableNamesFilesAndLabels) {
  for (const char* name : {"a.png", "b,c.png", "more/d.png", "unlisted.png"}) image(name);
  text("classes.txt", "cat\nowl\n");
  text("labels.csv", "file,label\nb,c.png,1\n\nmore/d.png,cat\r\na.png,owl\n");
  const LabelledImages images = read("labels.csv", "classes.txt");
  EXPECT_THAT(names(images), ElementsAre("b,c.png", "d.png", "a.png"));
  EXPECT_THAT(images.labels, ElementsAre(1, 0, 1));
}

TEST_F(Labelled, TablesAreCommaSeparatedValues) {
  for (const char* name : {"a, b.jpg", "say \"hi\".png", "c.png", " d.png"}) image(name);
  text("classes.txt",
       "\xEF\xBB\xBF"
       "cat \r\nowl, great\r\n");
  struct Row {
    const char* table;
    const char* name;
    std::int64_t label;
  };
  for (const Row& row :
       {Row{"\"a, b.jpg\",1", "a, b.jpg", 1}, Row{"a, b.jpg,1", "a, b.jpg", 1},
        Row{"  \"a, b.jpg\"\t, 1 \r\n", "a, b.jpg", 1}, Row{"\"say \"\"hi\"\".png\",\"1\"\n", "say \"hi\".png", 1},
        Row{"say \"hi\".png,1", "say \"hi\".png", 1},
        Row{"\xEF\xBB\xBF"
            "c.png,cat",
            "c.png", 0},
        Row{"\xEF\xBB\xBF\"File\", \"Label\"\r\n\r\nc.png\t,\tcat\r\n", "c.png", 0},
        Row{"\n \nimage,class\nc.png,\"owl, great\"", "c.png", 1}, Row{"\" d.png\",0", " d.png", 0}}) {
    text("labels.csv", row.table);
    const LabelledImages images = read("labels.csv", "classes.txt");
    EXPECT_THAT(names(images), ElementsAre(row.name)) << row.table;
    EXPECT_THAT(images.labels, ElementsAre(row.label)) << row.table;
    EXPECT_THAT(images.classes, ElementsAre("cat", "owl, great"));
  }
}

TEST_F(Labelled, ALineThatIsNoneIsNamedByItsNumber) {
  for (const char* name : {"a.png", "b.png", "notes.txt"}) image(name);
  text("classes.txt", "cat\nowl\n");
  struct Row {
    const char* table;
    const char* classes;
    const char* says;
  };
  for (const Row& row :
       {Row{"a.png", "", "line 1: 'a.png' is not of the form file,label"},
        Row{"a.png,0\nb.png,\n", "", "line 2: 'b.png,' is not of the form"},
        Row{",3\n", "", "line 1: ',3' is not of the form"},
        Row{"a.png,0\n\nc.png,1\n", "", "line 3: there is no file 'c.png' in"},
        Row{"notes.txt,0\n", "", "line 1: 'notes.txt' is no .jpg"},
        Row{"a.png,0\n\"b.png,1\n", "", "labels.csv: line 2: a field begins with a quote, and there is none"},
        Row{"\"a\".png,1\n", "", "line 1: there is more behind the quote that ends 'a'"},
        Row{"\"a.png\",b,1\n", "", "line 1: '\"a.png\",b,1' is not of the form"},
        Row{"\"\",1\n", "", "line 1: '\"\",1' is not of the form"},
        Row{"file,label\nimage,class\n", "", "line 2: there is no file 'image' in"},
        Row{"image,3\n", "", "line 1: there is no file 'image' in"},
        Row{"a.png,-1\n", "", "'-1' is no number of a class"}, Row{"a.png,cat\n", "", "--classes FILE gives names"},
        Row{"a.png,dog\n", "classes.txt", "'dog' is neither a class of"},
        Row{"a.png,2\n", "classes.txt", "there is no class 2"},
        Row{"a.png,0\n./a.png,1\n", "", "line 2: './a.png' is there twice"},
        Row{"file,label\n", "", "there is no line of file,label"}}) {
    text("labels.csv", row.table);
    EXPECT_THAT(why_refused("labels.csv", row.classes), HasSubstr(row.says)) << row.table;
  }
}

TEST_F(Labelled, FoldersThatWillNotDo) {
  EXPECT_THAT(why_refused(), HasSubstr("there is no such folder"));
  std::filesystem::create_directory(folder_.path() / "images");
  EXPECT_THAT(why_refused(), HasSubstr("neither a subfolder for each class nor an image"));
  image("a.png");
  EXPECT_THAT(why_refused(), HasSubstr("say with --labels FILE"));
  image("cat/b.png");
  EXPECT_THAT(why_refused(), HasSubstr("a.png: an image beside the subfolders"));
  std::filesystem::remove(folder_.path() / "images/a.png");
  std::filesystem::remove(folder_.path() / "images/cat/b.png");
  std::filesystem::create_directory(folder_.path() / "images/owl");
  EXPECT_THAT(why_refused(), HasSubstr("there is no .jpg, .jpeg or .png in any of the classes' folders"));
}

}  // namespace
}  // namespace assay::input
