#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <thread>
#include <vector>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "input/npy.hpp"
#include "input/source.hpp"
#include "input/test_images.hpp"

namespace assay::input {
namespace {

using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string floats(const std::string& name, const Shape& shape, float first = 0) const {
    Tensor t(DType::kFloat32, shape);
    for (std::int64_t i = 0; i < t.size(); ++i) t.as<float>()[i] = first + static_cast<float>(i);
    write_npy(path(name), t.view());
    return path(name);
  }
  static std::string why_refused(const std::vector<std::string>& arguments, const std::vector<TensorInfo>& inputs,
                                 const std::map<std::string, Shape>& shapes = {}) {
    try {
      open_files(arguments, inputs, shapes, parse_preprocess("none"));
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  TensorInfo image_{"image", DType::kFloat32, {-1, 3, 2, 2}, {"n", "", "", ""}, 0};
  TensorInfo vector_{"vector", DType::kFloat32, {-1, 4}, {"n", ""}, 0};
};

TEST_F(Files, ArraysBySamples) {
  const auto source = open_files({floats("a.npy", {5, 4})}, {vector_}, {}, Preprocess{});
  EXPECT_EQ(source->samples(), 5);
  std::vector<float> out(8);
  const MutableTensorView to{out.data(), DType::kFloat32, {2, 4}, {}};
  source->fill(3, 2, {&to, 1});
  EXPECT_EQ(out[0], 12);
  EXPECT_EQ(out[7], 19);
}

TEST_F(Files, ImagesOfAFolderInOrder) {
  for (const int value : {30, 10, 20}) {
    const auto grey = static_cast<std::uint8_t>(value);
    write_file_atomically(path(std::to_string(value) + ".png"), test::png_of(test::flat(2, 2, {grey, grey, grey})));
  }
  write_file_atomically(path("notes.txt"), std::string("not an image"));
  const auto source = open_files({folder_.path().string()}, {image_}, {}, parse_preprocess("none"));
  ASSERT_EQ(source->samples(), 3);
  EXPECT_EQ(source->label(0), "10.png");
  std::vector<float> out(24);
  const MutableTensorView to{out.data(), DType::kFloat32, {2, 3, 2, 2}, {}};
  source->fill(1, 2, {&to, 1});
  EXPECT_FLOAT_EQ(out[0], 20);
  EXPECT_FLOAT_EQ(out[23], 30);
}

TEST_F(Files, SeveralInputsByName) {
  const auto source = open_files({"vector=" + floats("v.npy", {2, 4}), "image=" + floats("i.npy", {2, 3, 2, 2})},
                                 {image_, vector_}, {}, Preprocess{});
  EXPECT_EQ(source->samples(), 2);
}

TEST_F(Files, ImagesWithoutANameFeedEveryInputEachItsOwnWay) {
  write_file_atomically(path("a.png"), test::png_of(test::flat(4, 4, {10, 20, 30})));
  write_file_atomically(path("b.png"), test::png_of(test::flat(4, 4, {40, 50, 60})));
  const TensorInfo large{"large", DType::kFloat32, {-1, 4, 4, 3}, {"n", "", "", ""}, 0};  // channels last
  const TensorInfo bytes{"bytes", DType::kUint8, {-1, 3, 2, 2}, {"n", "", "", ""}, 0};
  const std::vector<Preprocess> ways = {parse_preprocess("none"), parse_preprocess("none,scale=0.5,channels=bgr"),
                                        parse_preprocess("none")};
  const auto source = open_files({path("a.png"), path("b.png")}, {image_, large, bytes}, {}, ways);
  ASSERT_EQ(source->samples(), 2);
  EXPECT_EQ(source->label(1), "b.png");
  std::vector<float> small(24), channels_last(96);
  std::vector<std::uint8_t> whole(24);
  const MutableTensorView to[] = {{small.data(), DType::kFloat32, {2, 3, 2, 2}, {}},
                                  {channels_last.data(), DType::kFloat32, {2, 4, 4, 3}, {}},
                                  {whole.data(), DType::kUint8, {2, 3, 2, 2}, {}}};
  source->fill(0, 2, to);
  EXPECT_FLOAT_EQ(small[0], 10);
  EXPECT_FLOAT_EQ(small[23], 60);
  EXPECT_FLOAT_EQ(channels_last[0], 15);  // blue first, halved
  EXPECT_FLOAT_EQ(channels_last[95], 20);
  EXPECT_EQ(whole[4], 20);
  EXPECT_EQ(whole[12], 40);
}

// A file that is black and white in turns: two decodings would not agree for long.
TEST_F(Files, AnImageIsDecodedOnceForAllInputs) {
  const std::vector<std::string> kinds = {test::png_of(test::flat(256, 256, {0, 0, 0})),
                                          test::png_of(test::flat(256, 256, {255, 255, 255}))};
  for (std::size_t i = 0; i < kinds.size(); ++i) std::ofstream(path(std::to_string(i))) << kinds[i];
  std::filesystem::copy_file(path("0"), path("a.png"));
  std::atomic<bool> done{false};
  std::thread turns([&] {
    for (int i = 0; !done; i = 1 - i) {
      std::filesystem::remove(path("next"));
      std::filesystem::create_hard_link(path(std::to_string(i)), path("next"));
      std::filesystem::rename(path("next"), path("a.png"));
    }
  });
  const std::vector<TensorInfo> inputs(4, image_);
  const auto source = open_files({path("a.png")}, inputs, {}, parse_preprocess("none"));
  std::vector<float> out(std::size_t{4} * 12);
  std::vector<MutableTensorView> to;
  for (std::size_t i = 0; i < 4; ++i) to.push_back({out.data() + i * 12, DType::kFloat32, {1, 3, 2, 2}, {}});
  int mixed = 0;
  for (int i = 0; i < 100; ++i) {
    source->fill(0, 1, to);
    mixed += std::count(out.begin(), out.end(), out[0]) == std::ssize(out) ? 0 : 1;
  }
  done = true;
  turns.join();
  EXPECT_EQ(mixed, 0);
}

TEST_F(Files, NoBatchAxisIsOneSample) {
  TensorInfo whole{"whole", DType::kFloat32, {2, 4}, {}, -1};
  EXPECT_EQ(open_files({floats("w.npy", {2, 4})}, {whole}, {}, Preprocess{})->samples(), 1);
}

TEST_F(Files, FreeAxesTakeTheGivenShape) {
  TensorInfo free{"x", DType::kFloat32, {-1, 3, -1, -1}, {"n", "", "h", "w"}, 0};
  const std::string file = floats("x.npy", {2, 3, 4, 4});
  EXPECT_EQ(open_files({file}, {free}, {{"x", {1, 3, 4, 4}}}, Preprocess{})->samples(), 2);
  EXPECT_THAT(why_refused({file}, {free}, {{"x", {1, 3, 8, 8}}}),
              HasSubstr("input 'x' takes ?x3x8x8, the file holds 2x3x4x4"));
}

TEST_F(Files, SaysWhatIsWrong) {
  Tensor ints(DType::kInt64, {2, 4});
  write_npy(path("ints.npy"), ints.view());
  Tensor nan(DType::kFloat32, {1, 4});
  for (int i = 0; i < 4; ++i) nan.as<float>()[i] = i == 2 ? std::nanf("") : 0.0F;
  write_npy(path("nan.npy"), nan.view());
  write_file_atomically(path("x.npy"), std::string("nothing"));
  const std::string one = floats("one.npy", {4});

  EXPECT_THAT(why_refused({path("none.npy")}, {vector_}), HasSubstr("no such file or folder"));
  EXPECT_THAT(why_refused({path("x.npy")}, {vector_}), HasSubstr("x.npy: is not an .npy file"));
  EXPECT_THAT(why_refused({path("ints.npy")}, {vector_}), HasSubstr("is float32, the file holds int64"));
  EXPECT_THAT(why_refused({floats("w.npy", {2, 5})}, {vector_}), HasSubstr("takes ?x4, the file holds 2x5"));
  EXPECT_THAT(why_refused({one}, {vector_}), HasSubstr("needs a leading axis of 1: array[None]"));
  EXPECT_THAT(why_refused({path("nan.npy")}, {vector_}),
              HasSubstr("element 2 (in the order of the file) is not a number"));
  EXPECT_THAT(why_refused({one}, {vector_, image_}), HasSubstr("write NAME=PATH for each"));
  write_file_atomically(path("picture.png"), test::png_of(test::flat(2, 2, {1, 2, 3})));
  const std::string picture = path("picture.png");
  EXPECT_THAT(why_refused({picture}, {vector_, image_}), HasSubstr("(vector, image): write NAME=PATH for each"));
  EXPECT_THAT(why_refused({one}, {image_, image_}), HasSubstr("images go to all without it"));
  EXPECT_THAT(why_refused({picture, "image=" + picture}, {image_, image_}), HasSubstr("images go to all without it"));
  EXPECT_THAT(why_refused({path("none.png")}, {image_, image_}), HasSubstr("no such file or folder"));
  EXPECT_THAT(why_refused({"other=" + one}, {vector_}), HasSubstr("no input 'other'; it has vector"));
  EXPECT_THAT(why_refused({"vector=" + floats("v.npy", {2, 4})}, {vector_, image_}),
              HasSubstr("add --input image=PATH"));
  EXPECT_THAT(
      why_refused({"vector=" + floats("v.npy", {2, 4}), "image=" + floats("i.npy", {3, 3, 2, 2})}, {vector_, image_}),
      HasSubstr("this input got 3 samples, input 'vector' got 2"));
  EXPECT_THAT(why_refused({floats("a.npy", {1, 4}), floats("b.npy", {1, 4})}, {vector_}),
              HasSubstr("works with images only"));
  EXPECT_THAT(why_refused({floats("zero.npy", {0, 4})}, {vector_}), HasSubstr("the file holds 0x4, no sample at all"));
  EXPECT_THAT(why_refused({path(std::string(300, 'x'))}, {vector_}), HasSubstr("cannot be looked at"));
  std::filesystem::create_directory(path("empty"));
  EXPECT_THAT(why_refused({path("empty")}, {image_}), HasSubstr("there is no .jpg"));
  write_file_atomically(path("p.png"), test::png_of(test::flat(2, 2, {1, 2, 3})));
  EXPECT_THAT(why_refused({path("p.png")}, {vector_}), HasSubstr("an image fits inputs of four axes"));
}

// Before anything is computed, and by name.
TEST_F(Files, ABrokenPictureAmongMany) {
  for (const char* name : {"a.png", "c.png"})
    write_file_atomically(path(name), test::png_of(test::flat(2, 2, {1, 2, 3})));
  write_file_atomically(path("b.jpg"), std::string("\xFF\xD8\xFF and no picture"));
  EXPECT_THAT(why_refused({folder_.path().string()}, {image_}), HasSubstr("b.jpg: is not an image that can be read"));
  write_file_atomically(path("b.jpg"), test::png_that_claims(1 << 20, 1 << 20));
  EXPECT_THAT(why_refused({folder_.path().string()}, {image_}), HasSubstr("b.jpg: is not an image that can be read"));
}

TEST_F(Files, AllBrokenPicturesAreNamedAtOnce) {
  const auto whole = test::png_of(test::flat(2, 2, {1, 2, 3}));
  const auto cut = [&](std::size_t missing) {
    auto part = whole;
    part.resize(part.size() - missing);
    return part;
  };
  write_file_atomically(path("a.png"), whole);
  write_file_atomically(path("b.png"), std::string());
  write_file_atomically(path("c.png"), cut(1));   // of the end's checksum
  write_file_atomically(path("d.png"), cut(14));  // of the pixels
  write_file_atomically(path("e.jpg"), whole);    // its name alone is wrong
  const std::string why = why_refused({folder_.path().string()}, {image_});
  EXPECT_THAT(why, testing::AllOf(HasSubstr("3 of 5 images cannot be read"), HasSubstr("b.png"),
                                  HasSubstr("it is empty"), HasSubstr("c.png"),
                                  HasSubstr("d.png: is not an image that can be read: the file is "
                                            "cut short"),
                                  HasSubstr("take them away")));
  EXPECT_EQ(why.find("a.png"), std::string::npos);
  EXPECT_THAT(why_refused({path("b.png")}, {image_}),
              testing::EndsWith("b.png: is not an image that can be read: it is empty"));
}

}  // namespace
}  // namespace assay::input
