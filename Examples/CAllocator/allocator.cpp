#include "CAllocator.h"

#include <gperftools/malloc_extension.h>

void callocator_reuse_memory() {
    MallocExtension::instance()->SetMemoryReleaseRate(0);
    MallocExtension::instance()->SetNumericProperty("tcmalloc.max_total_thread_cache_bytes", 4 << 20);
}
