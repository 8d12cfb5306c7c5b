// For shared libraries that read ONNX: Debian's libprotobuf-lite.a is not position-independent, but its decoder's
// objects (coded_stream, structurally_valid) use nothing that could not be moved. What they want besides is the log,
// for what must never happen; with these in its place the linker takes no other object. And nothing is printed.

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/stubs/stringpiece.h>

#include <stdexcept>

namespace google::protobuf {
namespace internal {

LogMessage::LogMessage(LogLevel level, const char* filename, int line)
    : level_(level), filename_(filename), line_(line) {}
LogMessage::~LogMessage() = default;
LogMessage& LogMessage::operator<<(const char* value) {
  message_ += value;
  return *this;
}
LogMessage& LogMessage::operator<<(int value) { return *this << std::to_string(value).c_str(); }
LogMessage& LogMessage::operator<<(unsigned value) { return *this << std::to_string(value).c_str(); }
void LogMessage::Finish() {
  if (level_ == LOGLEVEL_FATAL) throw std::logic_error("protobuf: " + message_);
}
void LogFinisher::operator=(LogMessage& other) { other.Finish(); }

}  // namespace internal

namespace stringpiece_internal {

void StringPiece::LogFatalSizeTooBig(std::size_t /*size*/, const char* details) {
  throw std::logic_error(std::string("protobuf: a size is too big: ") + details);
}

}  // namespace stringpiece_internal
}  // namespace google::protobuf
