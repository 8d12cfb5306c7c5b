#pragma once

#include <string>

#include "assay/backend_abi.h"

namespace assay::backend {

/// An assay_error to hand to a plugin; the message's 2 kB are not cleared for every call.
struct ErrorSlot {
  ErrorSlot() {
    error.struct_size = sizeof error;
    error.code = ASSAY_OK;
    error.message[0] = '\0';
  }
  assay_error error;  // NOLINT(cppcoreguidelines-pro-type-member-init): the message is 2 kB
};

/// The plugin's words as Error; `function` ("open") is for a plugin that gave none.
[[noreturn]] void throw_status(assay_status status, const assay_error& error, const char* function,
                               const std::string& context);

inline void check(assay_status status, const ErrorSlot& slot, const char* function, const char* context) {
  if (status != ASSAY_OK) [[unlikely]] {
    throw_status(status, slot.error, function, context);
  }
}

}  // namespace assay::backend
