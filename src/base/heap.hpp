#pragma once

namespace assay {

/// Gives the heap's free pages back to the system. What a thread freed glibc keeps for that thread's like, also when it
/// has ended.
void release_free_heap();

}  // namespace assay
