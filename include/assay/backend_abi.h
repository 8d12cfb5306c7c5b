/* The plugin boundary of Assay: plain C11, no dependency.
 *
 * A plugin is one shared library `libassay_backend_<name>.so` that exports one symbol, `assay_backend_query`.
 * It answers a table of at most ten functions. The table and every struct begin with `struct_size`, set by whoever
 * allocates the struct, and only ever grow at their end: a reader looks at no field beyond the writer's size.
 *
 * Conventions
 *  - Every function returns an `assay_status` and fills `*error` when it is not ASSAY_OK. `error` is never NULL.
 *  - Text and arrays that a plugin hands out stay valid until the object they were asked from is closed, or the same
 *    function is called again on it; those of `probe` and `options`, until the next call of that function.
 *    What the host passes in is valid during the call only, unless said otherwise.
 *  - Shapes are in elements, outermost axis first; strides in elements; sizes in bytes; times in nanoseconds.
 *  - Nothing throws across this boundary, prints, exits, or installs signal handlers.
 *  - Sessions may be used from any thread. A slot is used by one thread at a time; slots are independent of each other.
 */
#ifndef ASSAY_BACKEND_ABI_H_
#define ASSAY_BACKEND_ABI_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Major in the upper 16 bits (a change breaks plugins), minor in the lower (something was added at an end). */
#define ASSAY_ABI_MAJOR 1u
#define ASSAY_ABI_MINOR 1u
#define ASSAY_ABI_VERSION ((ASSAY_ABI_MAJOR << 16) | ASSAY_ABI_MINOR)

typedef int32_t assay_status;
enum {
  ASSAY_OK = 0,
  ASSAY_INVALID_ARGUMENT = 1, /* a value out of range, a wrong shape, dtype or name: the caller's mistake */
  ASSAY_INVALID_MODEL = 2,    /* the model file is broken or means nothing */
  ASSAY_UNSUPPORTED = 3,      /* well formed, but this backend, version or device cannot do it: the case is Skipped */
  ASSAY_UNAVAILABLE = 4,      /* the framework's library, a driver or a device is missing or too old */
  ASSAY_OUT_OF_MEMORY = 5,
  ASSAY_FRAMEWORK = 6, /* the framework reported a failure of its own */
  ASSAY_DEVICE_LOST = 7,
  ASSAY_INTERNAL = 8 /* a defect of the plugin */
};

typedef struct assay_error {
  uint32_t struct_size;
  assay_status code;
  char message[2048]; /* what was asked, what was found, what to do; NUL-terminated, cut if longer */
} assay_error;

/* The numbers are those of ONNX's TensorProto.DataType. */
typedef int32_t assay_dtype;
enum {
  ASSAY_FLOAT32 = 1,
  ASSAY_UINT8 = 2,
  ASSAY_INT8 = 3,
  ASSAY_UINT16 = 4,
  ASSAY_INT16 = 5,
  ASSAY_INT32 = 6,
  ASSAY_INT64 = 7,
  ASSAY_BOOL = 9,
  ASSAY_FLOAT16 = 10,
  ASSAY_FLOAT64 = 11,
  ASSAY_UINT32 = 12,
  ASSAY_UINT64 = 13,
  ASSAY_BFLOAT16 = 16
};

typedef int32_t assay_memory;
enum { ASSAY_HOST = 0, ASSAY_PINNED = 1, ASSAY_DEVICE = 2 };

typedef struct assay_tensor {
  void* data; /* NULL in an output: the plugin provides the memory, valid until the slot's next submit or close */
  uint64_t bytes;
  assay_dtype dtype;
  assay_memory memory;
  int32_t rank;
  int32_t reserved;
  const int64_t* shape;
  const int64_t* strides; /* NULL: contiguous, last axis fastest */
} assay_tensor;

typedef int32_t assay_log_level;
enum { ASSAY_LOG_DEBUG = 0, ASSAY_LOG_INFO = 1, ASSAY_LOG_WARNING = 2, ASSAY_LOG_ERROR = 3 };
typedef void (*assay_log_fn)(void* user, assay_log_level level, const char* message);

/* A folder in which the framework's library may lie, in the order to look. `origin` says in words where it comes from.
 */
typedef struct assay_search_root {
  const char* folder;
  const char* origin; /* "ASSAY_ONNXRUNTIME_PATH", "python environment", "user data", "build tree", "system" */
} assay_search_root;

typedef struct assay_setting {
  const char* key;
  const char* value;
} assay_setting;

/* What the host offers to `probe` and `open`; `log` may be called from any thread until the session is closed. */
typedef struct assay_host {
  uint32_t struct_size;
  uint32_t abi_version;
  const assay_search_root*
      roots; /* each as site-packages would be: <folder>/onnxruntime/capi/…; or the library's folder */
  size_t root_count;
  const char* library; /* an explicit path of the framework's library, or NULL; given, nothing else is looked at */
  assay_log_fn log;
  void* log_user;
  /* The options of what will be opened next, where that is known, already checked: for settings that a framework takes
   * once, when its library is opened. */
  const assay_setting* options;
  size_t option_count;
} assay_host;

typedef struct assay_device {
  const char* name;        /* "cpu", "gpu:0" */
  const char* description; /* "AMD EPYC (2 cores)" */
  const char* identity;    /* all that makes a compiled graph unusable elsewhere: CPU flags, GPU UUID, driver */
  uint64_t memory_bytes;   /* 0: not known */
} assay_device;

typedef struct assay_probe_result {
  uint32_t struct_size;
  int32_t available;   /* 0: not; then `reason` says why and what to do */
  const char* reason;  /* "" when available */
  const char* version; /* of the framework met, "" when none was */
  const char* library; /* path of the library that was opened, "" when none was */
  const char* origin;  /* of the search root in which it was found */
  const assay_device* devices;
  size_t device_count;
  /* why devices that the framework can have elsewhere are not among these ("no GPU: …"), "" where none is missed. Only
   * where struct_size says that the host reads it. */
  const char* absent;
} assay_probe_result;

typedef int32_t assay_option_type;
enum {
  ASSAY_OPTION_BOOL = 0,
  ASSAY_OPTION_INT = 1,
  ASSAY_OPTION_REAL = 2,
  ASSAY_OPTION_TEXT = 3,
  ASSAY_OPTION_CHOICE = 4,
  ASSAY_OPTION_LIST = 5 /* some of the choices, by commas; "" is none of them */
};

/* Flags of an option. */
enum {
  ASSAY_OPTION_SHAPES_GRAPH = 1u, /* the optimized graph depends on it: part of the cache key */
  /* TEXT: where the user gives no value, the host gives the model's tensors, "inputs->outputs", each name:type:shape
   * ("a:float32:-1x8,b:int64:2->y:float32:-1x4"; "?" for a shape of unknown rank): for plugins that read no model. */
  ASSAY_OPTION_SIGNATURE = 2u
};

/* Values travel as text: "true"/"false", decimal numbers, the choice's name, or those of a list ("fold,fuse"). The host
 * checks type, range and choice before `open`, so a plugin sees only valid ones; a list without blanks, each of its
 * elements once, in the order of `choices`, so that equal lists are equal text. (A host that was built before there
 * were lists takes them as TEXT and checks nothing: say what is none of the choices.) */
typedef struct assay_option {
  const char* name; /* without the backend's name: "intra_op_threads" */
  assay_option_type type;
  uint32_t flags;
  const char* default_value;  /* as text; "auto" is allowed for any type where the plugin chooses */
  double minimum, maximum;    /* INT and REAL; inclusive */
  const char* const* choices; /* CHOICE and LIST: NULL-terminated; else NULL. None of a LIST's has a comma or a blank */
  const char* meaning;        /* one line */
} assay_option;

typedef struct assay_option_list {
  uint32_t struct_size;
  const assay_option* options;
  size_t count;
} assay_option_list;

typedef struct assay_fixed_shape {
  const char* input;
  int32_t rank;
  int32_t reserved;
  const int64_t* shape; /* every axis; -1 leaves one free */
} assay_fixed_shape;

typedef int32_t assay_goal;
enum { ASSAY_GOAL_THROUGHPUT = 0, ASSAY_GOAL_LATENCY = 1 };
typedef int32_t assay_precision;
enum { ASSAY_PRECISION_F32 = 0, ASSAY_PRECISION_BF16 = 1, ASSAY_PRECISION_F16 = 2, ASSAY_PRECISION_INT8 = 3 };

/* Who else computes on a session's cores. SHARED: others at the same time, so by default neither spin nor pin threads.
 * IN_TURN: others, but never while this one has a batch under way: do not spin beyond its end. */
typedef int32_t assay_core_use;
enum { ASSAY_CORES_OWN = 0, ASSAY_CORES_SHARED = 1, ASSAY_CORES_IN_TURN = 2 };

typedef struct assay_open_request {
  uint32_t struct_size;
  assay_goal goal;           /* set the engine up as its makers advise for this */
  assay_precision precision; /* ASSAY_UNSUPPORTED, with the reason, where the device cannot do it */
  int32_t threads;           /* > 0: CPU threads in all */
  int32_t in_flight;         /* batches outstanding that the caller intends; 0: the plugin's choice, see useful_slots */
  int32_t profile;           /* not 0: collect what report("profile") gives */
  const char* model_path;    /* of a kind in the table's model_formats: a file, or the folder of a SavedModel */
  const char* device;        /* one of probe's */
  const assay_setting* options;
  size_t option_count;
  const assay_fixed_shape* shapes; /* at most one per input */
  size_t shape_count;
  const char* cache_read; /* a folder that an earlier `open` of the same key filled, or NULL; read only */
  const char*
      cache_fill; /* an empty folder to leave the optimized graph in, or NULL. The host keeps it if `open` is OK */
  /* > 0: along the input axes that `shapes` and the model leave free, nearly every slot will be this long, and a last
   * one shorter. A backend that is faster with fixed shapes fixes them so and answers ASSAY_SHORT_BATCH_PAD. 0: any. */
  int64_t batch_size;
  assay_core_use shared_cores; /* where a plugin does not know a value, it is SHARED to it */
  int32_t reserved;
} assay_open_request;

typedef struct assay_session assay_session; /* the plugin's */
typedef struct assay_slot assay_slot;       /* the plugin's: the means to have one batch under way */

typedef struct assay_tensor_info {
  const char* name;
  assay_dtype dtype;
  int32_t rank;            /* -1: known only after a run */
  const int64_t* shape;    /* -1: free, or known only after a run */
  const char* const* axes; /* names of free axes, "" where there is none; NULL: not known */
} assay_tensor_info;

typedef int32_t assay_short_batch;
enum {
  ASSAY_SHORT_BATCH_RESHAPE = 0, /* a slot of another batch size is cheap: run the last batch at its own size */
  ASSAY_SHORT_BATCH_PAD = 1,     /* it is not: fill the last batch up and drop what was added */
  ASSAY_SHORT_BATCH_EITHER = 2   /* it costs slot_open_ns once: fill up until that would have been cheaper */
};

typedef struct assay_session_info {
  uint32_t struct_size;
  int32_t from_cache;   /* not 0: the graph came from cache_read */
  int32_t useful_slots; /* > 0: batches outstanding beyond which nothing is gained */
  assay_short_batch short_batch;
  uint32_t alignment;    /* bytes; memory aligned so is used in place, other memory may be copied by the plugin */
  uint32_t memory_kinds; /* bit set: 1u << assay_memory that submit takes */
  const assay_tensor_info* inputs;
  size_t input_count;
  const assay_tensor_info* outputs;
  size_t output_count;
  const assay_setting* in_force; /* read back from the framework: device, precision, threads, streams, version, … */
  size_t in_force_count;
  /* not 0: nothing is gained by a callback, since a batch computes on the thread that calls `wait`. The host then keeps
   * a thread for each batch outstanding, which takes the next one at once instead of waking another. */
  int32_t computes_in_wait;
  int32_t reserved;
  /* With ASSAY_SHORT_BATCH_EITHER: about how long the first slot of another batch size takes to open. Only where
   * struct_size says that the host reads it. */
  int64_t slot_open_ns;
} assay_session_info;

/* Called once per submit, from any thread, when the batch is done or has failed; the result is had from `wait`.
 * It only signals: it must not call the plugin and must not block. */
typedef void (*assay_done_fn)(void* user);

typedef struct assay_timing { /* of the last batch of a slot; -1: not known */
  uint32_t struct_size;
  uint32_t reserved;
  int64_t copy_in_ns, compute_ns, copy_out_ns;
  /* of a device that the host launches work on: how long it went on computing after the host had launched all of the
   * batch. Next to nothing: the device waited for launches, and compute_ns is the time that those took. Only where
   * struct_size says that the host reads it. */
  int64_t ahead_ns;
} assay_timing;

/* What a model is kept in. Of all but ONNX the host knows no inputs and outputs until describe has told them. */
enum {
  ASSAY_MODEL_ONNX = 1u,        /* a file, with its external data beside it */
  ASSAY_MODEL_SAVED_MODEL = 2u, /* TensorFlow's SavedModel: a folder that holds saved_model.pb */
  ASSAY_MODEL_GRAPH_DEF = 4u    /* TensorFlow's frozen graph: a file named *.pb */
};

/* Of an open request, what the optimized graph that is left in the cache does not depend on, whatever the options:
 * requests that differ in nothing else share one. */
enum { ASSAY_GRAPH_IGNORES_GOAL = 1u, ASSAY_GRAPH_IGNORES_IN_FLIGHT = 2u };

typedef struct assay_backend_table {
  uint32_t struct_size;
  uint32_t abi_version; /* the plugin's ASSAY_ABI_VERSION */
  const char* name;

  /* 1. Is the framework here, and what can it run on? Opens the library, touches no device more than it must. */
  assay_status (*probe)(const assay_host* host, assay_probe_result* result, assay_error* error);
  /* 2. Its settings. Needs no framework. */
  assay_status (*options)(assay_option_list* list, assay_error* error);
  /* 3. Load a model: post-training optimization, compiling, moving weights. */
  assay_status (*open)(const assay_host* host, const assay_open_request* request, assay_session** session,
                       assay_error* error);
  /* 4. What was loaded, and with which settings really. May be asked again: in_force may say more after a batch. */
  assay_status (*describe)(assay_session* session, assay_session_info* info, assay_error* error);
  /* 5. Bind and allocate once, for these input shapes (one per input, in describe's order, no -1). */
  assay_status (*slot_open)(assay_session* session, const assay_fixed_shape* shapes, size_t count, assay_slot** slot,
                            assay_error* error);
  /* 6. Start one batch. With `done`, returns at once and `done` is called later. Without (NULL), the plugin may leave
   *    the computing to `wait`, on the caller's thread. Tensor memory must stay until `wait` returns; the arrays
   *    themselves are copied. Outputs whose shape is not known are given with data NULL. */
  assay_status (*submit)(assay_slot* slot, const assay_tensor* inputs, size_t input_count, const assay_tensor* outputs,
                         size_t output_count, assay_done_fn done, void* user, assay_error* error);
  /* 7. Finish the batch begun by `submit` (sleeps until it is done). Fills data, bytes and real shape of every output
   *    (shape arrays are the plugin's, until the next submit) and, unless NULL, `timing`. */
  assay_status (*wait)(assay_slot* slot, assay_tensor* outputs, size_t output_count, assay_timing* timing,
                       assay_error* error);
  /* 8. Text about a session: "profile", "placement", "memory", "plan", "dump". JSON; ASSAY_UNSUPPORTED if it has none.
   */
  assay_status (*report)(assay_session* session, const char* kind, const char** text, assay_error* error);
  /* 9. Pinned or device memory of the session's device: *data NULL and bytes > 0 allocates, bytes 0 frees *data. */
  assay_status (*buffer)(assay_session* session, assay_memory kind, uint64_t bytes, void** data, assay_error* error);
  /* 10. Close a slot (slot not NULL) or the session, whose slots are closed before. Never fails. */
  void (*close)(assay_session* session, assay_slot* slot);

  /* Kinds of model that `open` takes: bits of ASSAY_MODEL_…; 0, or a table that ends before: ONNX alone. */
  uint32_t model_formats;
  /* Bits of ASSAY_GRAPH_IGNORES_…; 0, or a table that ends before: the graph depends on all of the request. */
  uint32_t graph_ignores;
} assay_backend_table;

/* The one symbol. Answers the plugin's table (static storage). The host compares `abi_version` and says what does not
 * match: equal majors work together, whatever the minors. `host_abi_version` is for a plugin that has several tables.
 */
typedef const assay_backend_table* (*assay_backend_query_fn)(uint32_t host_abi_version);
#define ASSAY_BACKEND_QUERY_SYMBOL "assay_backend_query"

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ASSAY_BACKEND_ABI_H_ */
