// Every engine in one process, whichever comes first: TensorFlow and the compiler of our own have an LLVM each, most
// have protobuf and a pool of threads.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>

#include "assay/assay.hpp"
#include "base/file.hpp"
#include "model/zoo.hpp"
#include "support/noise.hpp"
#include "support/required.hpp"

namespace assay {
namespace {

using Order = std::vector<std::string>;
constexpr int kAgree = 0, kDisagree = 1, kNoEngine = 2, kNotHere = 77;
constexpr std::int64_t kBatch = 2;
constexpr double kMostError = 1e-4;  // of probabilities

double largest_difference(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return HUGE_VAL;
  double largest = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.size()); ++i) {
    const double difference = std::abs(static_cast<double>(a.as<float>()[i]) - static_cast<double>(b.as<float>()[i]));
    largest = difference <= largest ? largest : difference;  // a NaN is the largest
  }
  return largest;
}

/// What a process ends with that loads all in this order, asks each before the next one is loaded, and then all again.
int loaded_in(const Order& order, const std::filesystem::path& model) {
  std::vector<Session> sessions;
  std::vector<Tensor> answers;
  Tensor x;
  for (const std::string& backend : order) {
    try {
      Session session = load(model, {.backend = backend, .batch_size = kBatch, .threads = 2});
      if (sessions.empty()) x = test::noise_for(session.inputs()[0], kBatch, 3);
      answers.push_back(std::move(session.predict(x.view())[0]));
      sessions.push_back(std::move(session));
    } catch (const Error& e) {
      std::cerr << backend << ": " << e.what() << "\n";
      const bool may_lack = e.code() == ErrorCode::kUnavailable && backend != "mlir" && !test::is_required(backend);
      return may_lack ? kNotHere : kNoEngine;
    }
  }
  for (Session& session : sessions) answers.push_back(std::move(session.predict(x.view())[0]));
  for (std::size_t i = 1; i < answers.size(); ++i) {
    const double difference = largest_difference(answers[i], answers[0]);
    if (difference <= kMostError) continue;
    std::cerr << order[i % order.size()] << " and " << order[0] << " differ by " << difference << "\n";
    return kDisagree;
  }
  return kAgree;
}

class OneProcess : public testing::TestWithParam<Order> {};

TEST_P(OneProcess, HasAllEnginesAndTheyAgree) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // in a process of its own, that has loaded nothing yet
  const TemporaryFolder folder;
  const std::filesystem::path model = model::write_zoo_network({.name = "tiny-resnet"}, folder.path());
  int ended = -1;
  const auto agrees = [&](int status) {
    ended = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended == kAgree || ended == kNotHere;
  };
  EXPECT_EXIT(std::_Exit(loaded_in(GetParam(), model)), agrees, "");
  if (ended == kNotHere) GTEST_SKIP() << "an engine is not here";
}

std::vector<Order> all_orders() {
  Order order = {"mlir", "onnxruntime", "openvino", "tensorflow"};
  std::vector<Order> all;
  do {
    all.push_back(order);
  } while (std::ranges::next_permutation(order).found);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Orders, OneProcess, testing::ValuesIn(all_orders()),
                         [](const auto& order) { return fmt::format("{}", fmt::join(order.param, "_")); });

}  // namespace
}  // namespace assay
