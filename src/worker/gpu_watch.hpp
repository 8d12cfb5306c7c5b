#pragma once
// The GPU that a case computes on, as NVML tells of it.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "measure/gpu.hpp"
#include "worker/reporter.hpp"
#include "worker/tasks.hpp"

namespace assay::worker {

/// One reading; nothing where there is none. Any thread.
using GpuReader = std::function<std::optional<nvidia::GpuReading>()>;

/// Of the GPU with this UUID, by NVML. Empty where there is none to read; `why` then says why.
GpuReader gpu_reader(const std::string& uuid, std::string& why);

/// "GPU-…" within a device's identity; "" where it has none.
std::string gpu_uuid_in(const std::string& identity);

/// Reads from `begin` to `end`, at both and between them on a thread of its own. Does nothing without a reader.
class GpuWatch {
 public:
  static constexpr std::chrono::milliseconds kBetweenReadings{100};
  explicit GpuWatch(GpuReader read, std::chrono::milliseconds between = kBetweenReadings);
  ~GpuWatch();
  GpuWatch(const GpuWatch&) = delete;
  GpuWatch& operator=(const GpuWatch&) = delete;

  void begin();
  void end();
  /// CPU time that reading has taken between `begin` and `end`, so far: of the process's, but nothing of the engine's.
  /// 0 outside of the two.
  [[nodiscard]] std::chrono::nanoseconds cpu_time();
  /// After `end`.
  [[nodiscard]] const measure::GpuReadings& readings() const { return readings_; }

 private:
  void add();
  void read_until_ended();
  void join();

  GpuReader read_;
  std::chrono::milliseconds between_;
  measure::GpuReadings readings_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  std::thread thread_;
};

/// What a task asks of the case's device and says about it, from before the model is loaded to its end. On the CPU
/// it does nothing; several GPUs are told of together (measure::gpus_together).
class GpuAccount {
 public:
  using Open = std::function<GpuReader(const std::string& uuid, std::string& why)>;
  /// After open_library, which puts the device's UUID into `result`. Warns where others use the GPU. `open` is another
  /// in tests.
  GpuAccount(const Request& request, const TaskResult& result, Reporter& reporter, Open open = gpu_reader);
  /// After loading: a backend whose device has no UUID in its identity may say it now ("gpu.uuid").
  void loaded(const std::map<std::string, std::string>& in_force);
  [[nodiscard]] const GpuReader& reader() const { return read_; }

  /// "memory.device".
  void put_memory(TaskResult& result) const;
  /// "energy.gross" per sample, "power.mean", "noise.gpu.…", and remarks; `samples` were computed in the window.
  void put_window(const GpuWatch& watch, double window_s, double samples, TaskResult& result) const;

 private:
  /// Of all GPUs, or none.
  GpuReader open_all();

  Open open_;
  const Case case_;
  const std::vector<std::string> gpus_;
  std::vector<std::string> uuids_;  ///< of each GPU; "": not told
  std::string why_not_;             ///< nothing can be read
  GpuReader read_;
  std::optional<nvidia::GpuReading> before_;
};

}  // namespace assay::worker
