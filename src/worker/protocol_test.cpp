#include "worker/protocol.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/error.hpp"

namespace assay::worker {
namespace {

TEST(Protocol, ARequestComesBackAsItWas) {
  Request r;
  r.kind = Request::Kind::kStart;
  r.test_case.model = "resnet50";
  r.test_case.backend = "null";
  r.test_case.batch_size = 8;
  r.test_case.options = {{"compute_ms", "3"}};
  r.test_case.data.ranges = {{"ids", {-1, 5}}};
  r.model = "/some/file.onnx";
  r.effort = measure::effort_by_name("standard");
  r.cache_folder = "/cache";
  r.reference_file = "/reference";
  r.library = "/lib.so";
  r.libraries = {{"onnxruntime", "/lib.so"}, {"openvino", "/other"}};
  r.parity_tolerance = 1e-4;
  r.rounded_reference_file = "/tmp/rounded";
  r.weights_rounded_to = Precision::kBFloat16;
  r.profile_file = "p.json";
  r.exec_ns = 1234567890123456789;
  const nlohmann::json j = to_json(r);
  EXPECT_EQ(to_json(request_from_json(nlohmann::json::parse(j.dump()))), j);
  EXPECT_EQ(request_from_json(j).exec_ns, r.exec_ns);
  EXPECT_EQ(request_from_json(j).effort.window, r.effort.window);
  for (const Request::Kind kind : {Request::Kind::kMeasure, Request::Kind::kMemory, Request::Kind::kMemberMemory,
                                   Request::Kind::kReference, Request::Kind::kStart, Request::Kind::kProbe}) {
    EXPECT_EQ(request_kind_from_string(to_string(kind)), kind);
  }
}

TEST(Protocol, AnEventComesBackAsItWas) {
  Event e;
  e.kind = Event::Kind::kResult;
  e.phase = "done";
  e.values = {{"latency_ns", {1, 2.5, std::nan("")}}, {"empty", {}}};
  e.texts = {{"parity", "against X"}};
  const Event back = event_from_json(nlohmann::json::parse(to_json(e).dump()));
  EXPECT_EQ(back.kind, e.kind);
  EXPECT_EQ(back.texts, e.texts);
  ASSERT_EQ(back.values.at("latency_ns").size(), 3U);
  EXPECT_EQ(back.values.at("latency_ns")[1], 2.5);
  EXPECT_TRUE(std::isnan(back.values.at("latency_ns")[2])) << "JSON has no NaN; null stands for it";
  Event failure;
  failure.kind = Event::Kind::kFailure;
  failure.code = ErrorCode::kParity;
  failure.message = "no";
  EXPECT_EQ(event_from_json(to_json(failure)).code, ErrorCode::kParity);
}

TEST(Protocol, WhatIsNoEventIsRefused) {
  for (const char* bad : {"3", "[]", "{}", R"({"kind":"dance"})", R"({"kind":3})", R"({"kind":"result","values":7})",
                          R"({"kind":"result","values":{"a":1}})", R"({"kind":"result","values":{"a":["x"]}})",
                          R"({"kind":"result","texts":{"a":1}})", R"({"kind":"phase","progress":"much"})"}) {
    EXPECT_THROW(event_from_json(nlohmann::json::parse(bad)), Error) << bad;
  }
  EXPECT_THROW(request_from_json(nlohmann::json::parse(R"({"kind":"sing"})")), Error);
  EXPECT_THROW(request_from_json(nlohmann::json::parse(R"({"effort":[]})")), Error);
}

}  // namespace
}  // namespace assay::worker
