#include "engine/ensemble/member_error.hpp"

#include <fmt/format.h>

#include <new>

namespace assay::engine {

Error member_error(const std::string& member) {
  const auto named = [&](ErrorCode code, const std::string& message, const std::string& context = {}) {
    return Error(code, fmt::format("member '{}': {}", member, message), context);
  };
  try {
    throw;
  } catch (const Error& e) {
    return named(e.code(), e.message(), e.context());
  } catch (const std::bad_alloc&) {
    return named(ErrorCode::kOutOfMemory, "out of memory");
  } catch (const std::exception& e) {
    return named(ErrorCode::kInternal, e.what());
  } catch (...) {
    return named(ErrorCode::kInternal, "an exception of unknown type");
  }
}

}  // namespace assay::engine
