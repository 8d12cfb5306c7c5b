#include "engine/ensemble/member_error.hpp"

#include <fmt/format.h>

#include <new>

namespace assay::engine {

Error caught_error() {
  try {
    throw;
  } catch (const Error& e) {
    return e;
  } catch (const std::bad_alloc&) {
    return {ErrorCode::kOutOfMemory, "out of memory"};
  } catch (const std::exception& e) {
    return {ErrorCode::kInternal, e.what()};
  } catch (...) {
    return {ErrorCode::kInternal, "an exception of unknown type"};
  }
}

Error member_error(const std::string& member) {
  const Error e = caught_error();
  return {e.code(), fmt::format("member '{}': {}", member, e.message()), e.context()};
}

}  // namespace assay::engine
