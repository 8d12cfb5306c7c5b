#include "program.hpp"

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace assay::compiler {
namespace {

void compute(const Plan& plan, const Code& code, const Step& step, void* const* addresses, Team& team) {
  const KernelFunction kernel = code.kernel(step.kernel);
  team.run(plan.kernels[static_cast<std::size_t>(step.kernel)].units,
           [&](std::int64_t begin, std::int64_t end, std::int64_t part) { kernel(addresses, begin, end, part); });
}

/// So many bytes on; nothing stays nothing.
void* behind(void* address, std::int64_t offset) {
  return address == nullptr ? nullptr : static_cast<std::byte*>(address) + offset;
}

}  // namespace

/// What is packed is not wanted beside it: contents that no step reads as they are go before, and each buffer's with
/// the buffer. Peaks of memory would be as much higher.
void Program::keep_what_steps_read() {
  std::vector<bool> read(plan_.buffers.size());
  for (const auto* steps : {&plan_.prologue, &plan_.steps}) {
    for (const Step& step : *steps) {
      for (const auto& [b, offset] : step.pointers) read[static_cast<std::size_t>(b)] = true;
    }
  }
  for (std::size_t i = 0; i < plan_.buffers.size(); ++i) {
    Buffer& b = plan_.buffers[i];
    if (b.place == Buffer::Place::kConstant && !read[i]) b.constant = nullptr;
  }
}

void Program::take_packed(PackedWeights* shared, Team& team) {
  packed_.resize(plan_.buffers.size());
  std::vector<std::shared_ptr<const Constant>> contents;  // of the fresh ones
  std::vector<std::size_t> fresh;                         // not shared before
  for (std::size_t i = 0; i < plan_.buffers.size(); ++i) {
    const Buffer& b = plan_.buffers[i];
    if (b.place != Buffer::Place::kPacked) continue;
    if (shared != nullptr) packed_[i] = shared->find(b.order, *b.constant);
    if (packed_[i] != nullptr) continue;
    fresh.push_back(i);
    contents.push_back(b.constant->not_computed());
  }
  if (own_ != nullptr) {  // a file's, where it is mapped: pages that nobody touches take no memory
    for (const std::size_t i : fresh) packed_[i] = {own_, own_.get() + plan_.buffers[i].offset};
    own_bytes_ = plan_.packed_bytes;
  } else {
    pack(fresh, team);
  }
  if (shared == nullptr) return;
  for (std::size_t n = 0; n < fresh.size(); ++n) {
    const Buffer& b = plan_.buffers[fresh[n]];
    shared->add(b.order, *contents[n], packed_[fresh[n]], b.bytes);
  }
}

/// Each buffer by one thread.
void Program::pack(std::span<const std::size_t> missing, Team& team) {
  std::vector<std::int64_t> offsets;
  for (const std::size_t i : missing) {
    offsets.push_back(own_bytes_);
    own_bytes_ += aligned(plan_.buffers[i].bytes);
  }
  auto memory = std::make_shared<AlignedMemory>(own_bytes_);
  team.run(static_cast<std::int64_t>(missing.size()), [&](std::int64_t begin, std::int64_t end, std::int64_t /*part*/) {
    for (auto n = static_cast<std::size_t>(begin); n < static_cast<std::size_t>(end); ++n) {
      std::byte* to = memory->data() + offsets[n];
      Buffer& buffer = plan_.buffers[missing[n]];
      buffer.make(reinterpret_cast<float*>(to));
      buffer.make = nullptr;
      std::exchange(buffer.constant, nullptr)->let_go();
      packed_[missing[n]] = {memory, to};
    }
  });
  own_ = {memory, memory->data()};
}

void* Program::fixed_address(std::size_t number) {
  const Buffer& buffer = plan_.buffers[number];
  if (buffer.place == Buffer::Place::kPacked) return const_cast<std::byte*>(packed_[number].get());
  if (buffer.place == Buffer::Place::kPrepared) return prepared_.data() + buffer.offset;
  if (buffer.place != Buffer::Place::kConstant) return nullptr;
  const auto bytes = buffer.constant->bytes();
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment == 0) {
    return const_cast<std::byte*>(bytes.data());  // no kernel writes to its inputs
  }
  if (bytes.size() > static_cast<std::size_t>(buffer.bytes))
    throw std::logic_error("a constant is longer than its buffer");
  std::byte* copy = copies_.data() + copied_bytes_;
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  copied_bytes_ += aligned(buffer.bytes);
  return copy;
}

Program::Program(Plan plan, std::span<const std::string> objects, std::shared_ptr<const std::byte> packed, Team& team,
                 PackedWeights* shared)
    : plan_(std::move(plan)),
      code_(objects, plan_.kernels.size()),
      own_(std::move(packed)),
      prepared_(plan_.prepared_bytes) {
  keep_what_steps_read();
  take_packed(shared, team);
  for (Buffer& b : plan_.buffers) {
    b.make = nullptr;
    if (b.place == Buffer::Place::kPacked) b.constant = nullptr;
  }
  fixed_.resize(plan_.buffers.size(), nullptr);
  std::int64_t most_copied = 0;
  for (const Buffer& b : plan_.buffers) {
    if (b.place == Buffer::Place::kConstant) most_copied += aligned(b.bytes);
  }
  copies_ = AlignedMemory(most_copied);  // what nobody writes takes no memory
  for (const auto* steps : {&plan_.prologue, &plan_.steps}) {
    for (const Step& step : *steps) {
      for (const auto& [b, offset] : step.pointers) {
        void*& address = fixed_[static_cast<std::size_t>(b)];
        if (address == nullptr) address = fixed_address(static_cast<std::size_t>(b));
      }
    }
  }
  const AlignedMemory scratch(plan_.prologue.empty() ? 0 : plan_.scratch_bytes * team.size());
  for (const Step& step : plan_.prologue) {
    std::vector<void*> addresses;
    for (const auto& [b, offset] : step.pointers) {
      const auto i = static_cast<std::size_t>(b);
      addresses.push_back(plan_.buffers[i].place == Buffer::Place::kScratch ? scratch.data()
                                                                            : behind(fixed_[i], offset));
    }
    compute(plan_, code_, step, addresses.data(), team);
  }
}

Run::Run(const Program& program, int threads)
    : program_(program), arena_(program.plan().arena_bytes), scratch_(program.plan().scratch_bytes * threads) {
  const Plan& plan = program.plan();
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    std::vector<void*>& addresses = addresses_.emplace_back();
    for (std::size_t i = 0; i < plan.steps[s].pointers.size(); ++i) {
      const auto [number, offset] = plan.steps[s].pointers[i];
      const auto b = static_cast<std::size_t>(number);
      const Buffer& buffer = plan.buffers[b];
      void* address = program.fixed_[b];
      if (buffer.place == Buffer::Place::kScratch) address = scratch_.data();
      if (buffer.place == Buffer::Place::kArena) address = arena_.data() + buffer.offset;
      if (buffer.place == Buffer::Place::kInput) inputs_.push_back({s, i, buffer.number, offset});
      if (buffer.place == Buffer::Place::kOutput) outputs_.push_back({s, i, buffer.number, offset});
      addresses.push_back(behind(address, offset));
    }
  }
}

void Run::operator()(Team& team, std::span<void* const> inputs, std::span<void* const> outputs) {
  for (const Place& p : inputs_)
    addresses_[p.step][p.position] = behind(inputs[static_cast<std::size_t>(p.number)], p.offset);
  for (const Place& p : outputs_)
    addresses_[p.step][p.position] = behind(outputs[static_cast<std::size_t>(p.number)], p.offset);
  const Plan& plan = program_.plan_;
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    if (step_ns_.empty()) {
      compute(plan, program_.code_, plan.steps[s], addresses_[s].data(), team);
      continue;
    }
    const auto begin = std::chrono::steady_clock::now();
    compute(plan, program_.code_, plan.steps[s], addresses_[s].data(), team);
    step_ns_[s] = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
  }
}

}  // namespace assay::compiler
