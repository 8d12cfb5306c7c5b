#include "backend/status.hpp"

#include <cstring>

#include <fmt/format.h>

#include "assay/error.hpp"

namespace assay::backend {

void throw_status(assay_status status, const assay_error& error, const char* function, const std::string& context) {
  const bool known = status >= ASSAY_INVALID_ARGUMENT && status <= ASSAY_INTERNAL;
  std::string message(error.message, ::strnlen(error.message, sizeof error.message));
  if (message.empty())
    message = fmt::format("the plugin's {} failed with status {} and gave no reason", function, status);
  throw Error(known ? static_cast<ErrorCode>(status) : ErrorCode::kInternal, std::move(message), context);
}

}  // namespace assay::backend
