#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// Has freed memory used again instead of given back; whoever links this has tcmalloc, as Ceph's own daemons do.
///
/// Objects' worth of buffers come and go by the hundred a second, and to have new pages cleared for each costs as much as to carry
/// the data. What is never given back also stays in one piece: at its greatest need the process takes less.
void callocator_reuse_memory(void);

#ifdef __cplusplus
}
#endif
