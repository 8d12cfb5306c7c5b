// What a worker may write to its launcher, and a launcher to its worker: whatever the bytes and however they are cut,
// events and requests, or an Error.
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "worker/frames.hpp"
#include "worker/protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = std::size_t{data[0]} + 1;
  assay::worker::FrameDecoder decoder(1U << 16);
  try {
    for (std::size_t at = 1; at < size; at += step) {
      decoder.feed(reinterpret_cast<const char*>(data) + at, std::min(step, size - at));
      while (const auto payload = decoder.next()) {
        try {
          const nlohmann::json j = assay::parse_json(*payload, "frame");
          assay::worker::to_json(assay::worker::event_from_json(j));
          assay::worker::to_json(assay::worker::request_from_json(j));
        } catch (const assay::Error&) {
        }
      }
    }
  } catch (const assay::Error&) {
  }
  return 0;
}
