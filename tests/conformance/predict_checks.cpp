// What stands on a plugin: load and predict, with batches that are short, fixed, second, or none at all.
#include <cmath>

#include "conformance/checks.hpp"
#include "support/tiny_models.hpp"

namespace assay::conformance {
namespace {

Session load_model(const Subject& subject, Model model, Params params) {
  const backend::OpenRequest request = subject.request(model);
  params.backend = subject.backend().name();
  params.device = subject.device();
  params.threads = 1;
  for (const auto& [name, value] : request.options) params.options[name] = value;
  return load(request.model, params);
}

std::vector<float> some_values(std::size_t count) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<float>((i * 37 + 11) % 101) / 25 - 2);
  return values;
}

std::vector<float> values_of(const Tensor& tensor) { return {tensor.as<float>(), tensor.as<float>() + tensor.size()}; }

void require_near(const std::vector<float>& found, const std::vector<float>& expected, const std::string& where) {
  require(found.size() == expected.size(),
          where + ": " + std::to_string(found.size()) + " values instead of " + std::to_string(expected.size()));
  for (std::size_t i = 0; i < found.size(); ++i) {
    require(std::abs(found[i] - expected[i]) <= 1e-4F * std::max(1.0F, std::abs(expected[i])),
            where + ": element " + std::to_string(i) + " is " + std::to_string(found[i]) + " and should be " +
                std::to_string(expected[i]));
  }
}

void a_backend_told_the_batch_size_takes_such_batches(const Subject& subject) {
  backend::OpenRequest request = subject.request(Model::kLinear);
  request.batch_size = 4;
  backend::BackendSession session = subject.backend().open(request);
  LinearSlot(subject, session, 4).run(1);
  if (session.info().short_batch != ASSAY_SHORT_BATCH_PAD) LinearSlot(subject, session, 2).run(1);
}

void batches_of_any_size_answer_the_same(const Subject& subject) {
  const std::vector<float> x = some_values(40);
  const TensorView in{x.data(), DType::kFloat32, {10, 4}, {}};
  Session all = load_model(subject, Model::kLinear, {.batch_size = 10});
  const std::vector<float> expected = values_of(all.predict(in)[0]);
  if (!subject.is_null()) require_near(expected, tiny::linear(x), "a batch of 10");
  for (const std::int64_t batch : {0, 1, 3, 4, 16}) {
    for (const int in_flight : {1, 3}) {
      Session session = load_model(subject, Model::kLinear, {.batch_size = batch, .in_flight = in_flight});
      const std::vector<Tensor> y = session.predict(in);
      require(y[0].shape() == Shape{10, 3}, "the output's shape is " + to_string(y[0].shape()));
      require_near(values_of(y[0]), expected, "10 samples in batches of " + std::to_string(batch));
    }
  }
}

void a_fixed_batch_is_filled_up(const Subject& subject) {
  const std::vector<float> x = some_values(40);
  Session session = load_model(subject, Model::kFixed, {.batch_axis = {{"x", 0}}});
  const std::vector<Tensor> y = session.predict({x.data(), DType::kFloat32, {10, 4}, {}});
  require(y[0].shape() == Shape{10, 3}, "the output's shape is " + to_string(y[0].shape()));
  if (!subject.is_null()) require_near(values_of(y[0]), tiny::linear(x), "10 samples in batches fixed at 4");
}

void a_batch_that_is_the_second_axis(const Subject& subject) {
  if (subject.is_null()) return;  // its batch is the first
  const std::vector<float> x = some_values(3 * 10 * 4);
  for (const std::int64_t batch : {4, 10}) {
    Session session = load_model(subject, Model::kSequence, {.batch_size = batch, .batch_axis = {{"x", 1}}});
    require(session.outputs()[0].batch_axis == 1, "the output's batch axis was not found by its name");
    const std::vector<Tensor> y = session.predict({x.data(), DType::kFloat32, {3, 10, 4}, {}});
    require(y[0].shape() == Shape{3, 10, 3}, "the output's shape is " + to_string(y[0].shape()));
    require_near(values_of(y[0]), tiny::linear(x), "10 samples in batches of " + std::to_string(batch));
  }
}

void a_scalar_beside_a_batch(const Subject& subject) {
  const std::vector<float> x = some_values(40);
  Session session = load_model(subject, Model::kSum, {.batch_size = 4});
  require(session.outputs()[1].batch_axis == -1, "a scalar was given a batch axis");
  const std::vector<Tensor> y = session.predict({x.data(), DType::kFloat32, {4, 4}, {}});
  require(y[1].shape().empty(), "the scalar's shape is " + to_string(y[1].shape()));
  float sum = 0;
  for (const float value : values_of(y[0])) sum += value;
  if (!subject.is_null()) require_near(values_of(y[1]), {sum}, "the sum");
  require_error({ErrorCode::kInvalidArgument}, "several batches with a scalar",
                [&] { session.predict({x.data(), DType::kFloat32, {10, 4}, {}}); });
}

void no_batch_and_a_shape_that_the_run_knows(const Subject& subject) {
  Session session = load_model(subject, Model::kNonZero, {});
  const std::vector<float> x = {0, 1, 0, 2, 3}, other = {0, 0, 4, 0, 0};
  const std::vector<Tensor> three = session.predict({x.data(), DType::kFloat32, {5}, {}});
  const std::vector<Tensor> one = session.predict({other.data(), DType::kFloat32, {5}, {}});
  require(three[0].shape().size() == 2 && three[0].shape()[0] == 1, "the shape is " + to_string(three[0].shape()));
  if (subject.is_null()) return;
  require(three[0].shape() == Shape{1, 3} && three[0].as<std::int64_t>()[2] == 4, "the places found are wrong");
  require(one[0].shape() == Shape{1, 1} && one[0].as<std::int64_t>()[0] == 2, "the place found is wrong");
}

constexpr Check kChecks[] = {
    {"a_backend_told_the_batch_size_takes_such_batches", a_backend_told_the_batch_size_takes_such_batches},
    {"batches_of_any_size_answer_the_same", batches_of_any_size_answer_the_same},
    {"a_fixed_batch_is_filled_up", a_fixed_batch_is_filled_up},
    {"a_batch_that_is_the_second_axis", a_batch_that_is_the_second_axis},
    {"a_scalar_beside_a_batch", a_scalar_beside_a_batch},
    {"no_batch_and_a_shape_that_the_run_knows", no_batch_and_a_shape_that_the_run_knows},
};

}  // namespace

std::span<const Check> predict_checks() { return kChecks; }

}  // namespace assay::conformance
