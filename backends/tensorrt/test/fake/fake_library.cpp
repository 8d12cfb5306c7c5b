// Libraries of TensorRT's names that are not what is needed: another one, too old, without its parser.
#include <cstdint>

extern "C" {

int assay_fake_is_here() { return 1; }

#ifdef ASSAY_FAKE_VERSION
std::int32_t getInferLibVersion() { return ASSAY_FAKE_VERSION; }
#endif
#ifdef ASSAY_FAKE_WHOLE
void* createInferBuilder_INTERNAL(void* /*logger*/, std::int32_t /*version*/) { return nullptr; }
void* createInferRuntime_INTERNAL(void* /*logger*/, std::int32_t /*version*/) { return nullptr; }
#endif
#ifdef ASSAY_FAKE_PARSER
void* createNvOnnxParser_INTERNAL(void* /*network*/, void* /*logger*/, int /*version*/) { return nullptr; }
#endif

}  // extern "C"
