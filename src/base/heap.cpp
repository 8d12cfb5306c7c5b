#include "base/heap.hpp"

#include <malloc.h>

namespace assay {

void release_free_heap() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace assay
