#include "model_axes.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

namespace assay::ort {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Field numbers of onnx.proto.
constexpr std::uint32_t kModelGraph = 7;
constexpr std::uint32_t kGraphInput = 11;
constexpr std::uint32_t kValueName = 1;
constexpr std::uint32_t kValueType = 2;
constexpr std::uint32_t kTypeTensor = 1;
constexpr std::uint32_t kTensorShape = 2;
constexpr std::uint32_t kShapeDim = 1;
constexpr std::uint32_t kDimParam = 2;

bool take_varint(Bytes& in, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const std::uint8_t byte = in.front();
    in = in.subspan(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// Calls visit(field, payload) for each length-delimited field; stops at bytes that make no sense.
template <class Visit>
void each_message(Bytes in, Visit visit) {
  std::uint64_t tag = 0;
  std::uint64_t value = 0;
  while (!in.empty() && take_varint(in, tag)) {
    std::uint64_t skip = 0;
    switch (tag & 7) {
      case 0:
        if (!take_varint(in, value)) return;
        break;
      case 1:
        skip = 8;
        break;
      case 5:
        skip = 4;
        break;
      case 2:
        if (!take_varint(in, skip) || skip > in.size()) return;
        visit(static_cast<std::uint32_t>(tag >> 3), in.first(skip));
        break;
      default:
        return;
    }
    if (skip > in.size()) return;
    in = in.subspan(skip);
  }
}

std::string to_text(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

void read_shape(Bytes shape, std::vector<std::string>& axes) {
  each_message(shape, [&](std::uint32_t field, Bytes dim) {
    if (field != kShapeDim) return;
    axes.emplace_back();
    each_message(dim, [&](std::uint32_t dim_field, Bytes name) {
      if (dim_field == kDimParam) axes.back() = to_text(name);
    });
  });
}

InputAxes read_input(Bytes value_info) {
  InputAxes input;
  each_message(value_info, [&](std::uint32_t field, Bytes payload) {
    if (field == kValueName) input.name = to_text(payload);
    if (field != kValueType) return;
    each_message(payload, [&](std::uint32_t type_field, Bytes tensor) {
      if (type_field != kTypeTensor) return;
      each_message(tensor, [&](std::uint32_t tensor_field, Bytes shape) {
        if (tensor_field == kTensorShape) read_shape(shape, input.axes);
      });
    });
  });
  return input;
}

/// A file mapped for reading; empty where that is not possible.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat status{};
    if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    ::close(file);
  }
  ~MappedFile() {
    if (data_ != MAP_FAILED) ::munmap(data_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  [[nodiscard]] Bytes bytes() const {
    return data_ == MAP_FAILED ? Bytes() : Bytes(static_cast<const std::uint8_t*>(data_), size_);
  }

 private:
  void* data_ = MAP_FAILED;
  std::size_t size_ = 0;
};

}  // namespace

std::vector<InputAxes> parse_input_axes(Bytes model) {
  std::vector<InputAxes> inputs;
  each_message(model, [&](std::uint32_t field, Bytes graph) {
    if (field != kModelGraph) return;
    each_message(graph, [&](std::uint32_t graph_field, Bytes value_info) {
      if (graph_field == kGraphInput) inputs.push_back(read_input(value_info));
    });
  });
  return inputs;
}

std::vector<InputAxes> read_input_axes(const std::string& model_path) {
  const MappedFile file(model_path);
  return parse_input_axes(file.bytes());
}

std::vector<std::pair<std::string, std::int64_t>> axes_to_pin(const std::vector<InputAxes>& inputs,
                                                              std::span<const kit::FixedShape> shapes) {
  std::map<std::string, std::int64_t> pinned;
  for (const kit::FixedShape& shape : shapes) {
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const auto& i) { return i.name == shape.input; });
    if (input == inputs.end()) continue;
    for (std::size_t axis = 0; axis < std::min(shape.shape.size(), input->axes.size()); ++axis) {
      const std::string& name = input->axes[axis];
      if (name.empty() || shape.shape[axis] < 0) continue;
      const auto [known, added] = pinned.emplace(name, shape.shape[axis]);
      if (!added && known->second != shape.shape[axis]) {
        throw kit::Failure(ASSAY_INVALID_ARGUMENT, "axis '" + name + "' is given the size " +
                                                       std::to_string(shape.shape[axis]) + " by input '" + shape.input +
                                                       "' and " + std::to_string(known->second) +
                                                       " by another place: one name is one size");
      }
    }
  }
  return {pinned.begin(), pinned.end()};
}

}  // namespace assay::ort
