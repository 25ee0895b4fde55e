/* What librados offers in C++ only: an object's snapshot set, its watchers, and data that is
 * read and written on without being copied.
 *
 * Everything answers "not available" where librados.hpp was not found at build time. */
#ifndef CCEPH_NATIVE_H
#define CCEPH_NATIVE_H

#include <stddef.h>
#include <stdint.h>
#include <rados/librados.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 1 where the C++ interface was found at build time. */
int cceph_native_available(void);

/* The C++ side of an I/O context; NULL where not available. */
typedef void *cceph_io;
cceph_io cceph_io_open(rados_ioctx_t io);
void cceph_io_close(cceph_io io);

/* Every call below starts an operation; `callback` runs once, on a librados thread, unless a
 * negative errno is returned. The reply belongs to the callee. */
typedef void (*cceph_callback)(void *argument, int result, void *reply);

/* Listings */

struct cceph_extent { uint64_t offset, length; };

/* One revision of an object: a clone, or the head (cloneid == UINT64_MAX - 1). */
struct cceph_clone {
    uint64_t cloneid;
    uint64_t size;
    size_t snap_count;
    uint64_t *snaps;
    size_t overlap_count;
    struct cceph_extent *overlap;   /* shared with the next newer revision */
};

struct cceph_snap_set {
    uint64_t seq;
    size_t clone_count;
    struct cceph_clone *clones;
};

struct cceph_watcher {
    char address[128];              /* as in "127.0.0.1:0/12345" */
    int64_t client_id;
    uint64_t cookie;
};

struct cceph_watcher_list {
    size_t count;
    struct cceph_watcher *watchers;
};

int cceph_list_snaps(cceph_io io, const char *oid, cceph_callback callback, void *argument);
void cceph_snap_set_free(struct cceph_snap_set *set);

int cceph_list_watchers(cceph_io io, const char *oid, cceph_callback callback, void *argument);
void cceph_watcher_list_free(struct cceph_watcher_list *list);

/* Transfers */

/* What was read: one piece for each extent asked for. */
typedef void *cceph_data;
int cceph_read(cceph_io io, const char *oid, const struct cceph_extent *extents, size_t count,
               cceph_callback callback, void *argument);
/* The piece's memory, valid as long as the data; shorter than asked for at the object's end. */
const void *cceph_data_piece(cceph_data data, size_t piece, size_t *length);
void cceph_data_free(cceph_data data);

/* A compound write that refers to data instead of copying it. */
typedef void *cceph_update;
cceph_update cceph_update_create(void);
void cceph_update_free(cceph_update update);
void cceph_update_hint(cceph_update update, uint64_t object_size, uint64_t write_size);
void cceph_update_ensure_exists(cceph_update update);
void cceph_update_assert_exists(cceph_update update);
void cceph_update_write(cceph_update update, cceph_data data, size_t piece, size_t from, size_t length, uint64_t offset);
void cceph_update_zero(cceph_update update, uint64_t offset, uint64_t length);
void cceph_update_truncate(cceph_update update, uint64_t size);
void cceph_update_remove(cceph_update update);
int cceph_update_apply(cceph_io io, const char *oid, cceph_update update, int flags,
                       cceph_callback callback, void *argument);

#ifdef __cplusplus
}
#endif
#endif
