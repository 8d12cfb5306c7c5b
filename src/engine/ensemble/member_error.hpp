#pragma once
// What a member throws, as an Error that names it.

#include <string>

#include "assay/error.hpp"

namespace assay::engine {

/// Within a handler: what is being handled, whoever threw it. Of the standard library's exceptions those for memory
/// keep their meaning; all others are kInternal.
Error caught_error();
/// The same with the member's name before its message.
Error member_error(const std::string& member);

}  // namespace assay::engine
