#pragma once
// The C side of backend_kit.hpp: functions that catch everything, and storage for what the host is handed. Included by
// backend_kit.hpp; not for direct use.

#include "assay/backend_kit.hpp"

namespace assay::kit::detail {

inline assay_status fill_error(assay_error* error, assay_status code, const char* message) {
  error->code = code;
  std::snprintf(error->message, sizeof error->message, "%s", message);
  return code;
}

/// Runs `body`; what it throws becomes the status.
template <class Body>
assay_status guarded(assay_error* error, Body body) {
  try {
    body();
    return ASSAY_OK;
  } catch (const Failure& e) {
    return fill_error(error, e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return fill_error(error, ASSAY_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return fill_error(error, ASSAY_FRAMEWORK, e.what());
  } catch (...) {
    return fill_error(error, ASSAY_INTERNAL, "an exception of unknown type");
  }
}

/// Storage behind assay_tensor_info arrays.
class InfoList {
 public:
  void set(std::vector<TensorInfo> infos) {
    infos_ = std::move(infos);
    axes_.assign(infos_.size(), {});
    c_.clear();
    for (std::size_t i = 0; i < infos_.size(); ++i) {
      const TensorInfo& t = infos_[i];
      for (const std::string& a : t.axes) axes_[i].push_back(a.c_str());
      c_.push_back({t.name.c_str(), t.dtype, t.rank_known ? static_cast<std::int32_t>(t.shape.size()) : -1,
                    t.shape.data(), t.axes.empty() ? nullptr : axes_[i].data()});
    }
  }
  [[nodiscard]] const std::vector<assay_tensor_info>& c() const { return c_; }

 private:
  std::vector<TensorInfo> infos_;
  std::vector<std::vector<const char*>> axes_;
  std::vector<assay_tensor_info> c_;
};

struct SessionBox {
  std::unique_ptr<Session> session;
  Description description;
  InfoList inputs, outputs;
  std::vector<assay_setting> in_force;
  std::string report;
};

struct SlotBox {
  std::unique_ptr<Slot> slot;
};

inline std::vector<FixedShape> fixed_shapes(const assay_fixed_shape* shapes, std::size_t count) {
  std::vector<FixedShape> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back({shapes[i].input, {shapes[i].shape, shapes[i].shape + shapes[i].rank}});
  }
  return result;
}

inline OpenRequest open_request(const assay_host* host, const assay_open_request* r) {
  OpenRequest q;
  q.model_path = r->model_path;
  q.device = r->device;
  q.goal = r->goal;
  q.precision = r->precision;
  q.threads = r->threads;
  q.in_flight = r->in_flight;
  q.profile = r->profile != 0;
  if (r->struct_size >= offsetof(assay_open_request, batch_size) + sizeof r->batch_size) q.batch_size = r->batch_size;
  if (r->struct_size >= offsetof(assay_open_request, shared_cores) + sizeof r->shared_cores) {
    q.cores_in_turn = r->shared_cores == ASSAY_CORES_IN_TURN;
    q.shared_cores = r->shared_cores != ASSAY_CORES_OWN && !q.cores_in_turn;
  }
  for (std::size_t i = 0; i < r->option_count; ++i) q.options[r->options[i].key] = r->options[i].value;
  q.shapes = fixed_shapes(r->shapes, r->shape_count);
  if (r->cache_read != nullptr) q.cache_read = r->cache_read;
  if (r->cache_fill != nullptr) q.cache_fill = r->cache_fill;
  q.host = Host(host);
  return q;
}

template <class B>
struct Table {
  static B& backend() {
    static B instance;
    return instance;
  }

  static assay_status probe(const assay_host* host, assay_probe_result* result, assay_error* error) {
    return guarded(error, [&] {
      static Probe kept;
      static std::vector<assay_device> devices;
      kept = backend().probe(Host(host));
      devices.clear();
      for (const Device& d : kept.devices) {
        devices.push_back({d.name.c_str(), d.description.c_str(), d.identity.c_str(), d.memory_bytes});
      }
      result->available = kept.available ? 1 : 0;
      result->reason = kept.reason.c_str();
      result->version = kept.version.c_str();
      result->library = kept.library.c_str();
      result->origin = kept.origin.c_str();
      result->devices = devices.data();
      result->device_count = devices.size();
      if (result->struct_size < offsetof(assay_probe_result, absent) + sizeof result->absent) return;
      result->absent = kept.absent.c_str();
    });
  }

  static assay_status options(assay_option_list* list, assay_error* error) {
    return guarded(error, [&] {
      const std::span<const assay_option> all = backend().options();
      list->options = all.data();
      list->count = all.size();
    });
  }

  static assay_status open(const assay_host* host, const assay_open_request* request, assay_session** session,
                           assay_error* error) {
    return guarded(error, [&] {
      auto box = std::make_unique<SessionBox>();
      box->session = backend().open(open_request(host, request));
      *session = reinterpret_cast<assay_session*>(box.release());
    });
  }

  static SessionBox& box(assay_session* session) { return *reinterpret_cast<SessionBox*>(session); }
  static SlotBox& box(assay_slot* slot) { return *reinterpret_cast<SlotBox*>(slot); }

  static assay_status describe(assay_session* session, assay_session_info* info, assay_error* error) {
    return guarded(error, [&] {
      SessionBox& b = box(session);
      b.description = b.session->describe();
      const Description& d = b.description;
      b.inputs.set(d.inputs);
      b.outputs.set(d.outputs);
      b.in_force.clear();
      for (const auto& [key, value] : d.in_force) b.in_force.push_back({key.c_str(), value.c_str()});
      info->from_cache = d.from_cache ? 1 : 0;
      info->useful_slots = d.useful_slots;
      info->short_batch = d.short_batch;
      info->computes_in_wait = d.computes_in_wait ? 1 : 0;
      info->alignment = d.alignment;
      info->memory_kinds = d.memory_kinds;
      info->inputs = b.inputs.c().data();
      info->input_count = b.inputs.c().size();
      info->outputs = b.outputs.c().data();
      info->output_count = b.outputs.c().size();
      info->in_force = b.in_force.data();
      info->in_force_count = b.in_force.size();
      if (info->struct_size < offsetof(assay_session_info, slot_open_ns) + sizeof info->slot_open_ns) return;
      info->slot_open_ns = d.slot_open_ns;
    });
  }

  static assay_status slot_open(assay_session* session, const assay_fixed_shape* shapes, std::size_t count,
                                assay_slot** slot, assay_error* error) {
    return guarded(error, [&] {
      const std::vector<FixedShape> fixed = fixed_shapes(shapes, count);
      auto made = std::make_unique<SlotBox>();
      made->slot = box(session).session->open_slot(fixed);
      if (made->slot == nullptr) throw Failure(ASSAY_INTERNAL, "the plugin's open_slot answered no slot");
      *slot = reinterpret_cast<assay_slot*>(made.release());
    });
  }

  static assay_status submit(assay_slot* slot, const assay_tensor* inputs, std::size_t input_count,
                             const assay_tensor* outputs, std::size_t output_count, assay_done_fn done, void* user,
                             assay_error* error) {
    return guarded(error, [&] { box(slot).slot->submit({inputs, input_count}, {outputs, output_count}, done, user); });
  }

  static assay_status wait(assay_slot* slot, assay_tensor* outputs, std::size_t output_count, assay_timing* timing,
                           assay_error* error) {
    return guarded(error, [&] {
      Timing t;
      box(slot).slot->wait({outputs, output_count}, t);
      if (timing == nullptr) return;
      timing->copy_in_ns = t.copy_in_ns;
      timing->compute_ns = t.compute_ns;
      timing->copy_out_ns = t.copy_out_ns;
      if (timing->struct_size < offsetof(assay_timing, ahead_ns) + sizeof timing->ahead_ns) return;
      timing->ahead_ns = t.ahead_ns;
    });
  }

  static assay_status report(assay_session* session, const char* kind, const char** text, assay_error* error) {
    return guarded(error, [&] {
      SessionBox& b = box(session);
      b.report = b.session->report(kind);
      *text = b.report.c_str();
    });
  }

  static assay_status buffer(assay_session* session, assay_memory kind, std::uint64_t bytes, void** data,
                             assay_error* error) {
    return guarded(error, [&] {
      Session& s = *box(session).session;
      if (bytes > 0) {
        *data = s.allocate(kind, bytes);
      } else {
        s.release(kind, *data);
        *data = nullptr;
      }
    });
  }

  static void close(assay_session* session, assay_slot* slot) {
    if (slot != nullptr) {
      box(slot).slot->quiesce();
      delete &box(slot);
    } else if (session != nullptr) {
      delete &box(session);
    }
  }

  static const assay_backend_table* query(std::uint32_t /*host_abi*/) {  // the host compares the versions
    static const assay_backend_table table = {sizeof(assay_backend_table),
                                              ASSAY_ABI_VERSION,
                                              backend().name(),
                                              probe,
                                              options,
                                              open,
                                              describe,
                                              slot_open,
                                              submit,
                                              wait,
                                              report,
                                              buffer,
                                              close,
                                              backend().model_formats(),
                                              backend().graph_ignores()};
    return &table;
  }
};

}  // namespace assay::kit::detail

/// Exports a class derived from assay::kit::Backend as this plugin's table.
#define ASSAY_BACKEND(Class)                                                                        \
  extern "C" __attribute__((visibility("default"))) const assay_backend_table* assay_backend_query( \
      std::uint32_t host_abi_version) {                                                             \
    return assay::kit::detail::Table<Class>::query(host_abi_version);                               \
  }
