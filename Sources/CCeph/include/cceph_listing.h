/* What librados offers in C++ only: an object's snapshot set and its watchers.
 *
 * Built to answer "not available" where librados.hpp was not found. */
#ifndef CCEPH_LISTING_H
#define CCEPH_LISTING_H

#include <stddef.h>
#include <stdint.h>
#include <rados/librados.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *cceph_listing_io;

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
    char address[128];              /* as in "127.0.0.1:0/12345", without a type prefix */
    int64_t client_id;
    uint64_t cookie;
};

/* 1 where the C++ interface was found at build time. */
int cceph_listing_available(void);

/* A private handle for listings in the pool and namespace of `io`; NULL where not available. */
cceph_listing_io cceph_listing_open(rados_ioctx_t io);
void cceph_listing_close(cceph_listing_io io);

typedef void (*cceph_listing_callback)(void *argument, int result, void *reply);

/* Starts listing; `callback` runs once on a librados thread unless a negative errno is returned.
 * The reply belongs to the caller: free it with the matching function. */
int cceph_list_snaps(cceph_listing_io io, const char *oid, size_t oid_length,
                     cceph_listing_callback callback, void *argument);
void cceph_snap_set_free(struct cceph_snap_set *set);

struct cceph_watcher_list { size_t count; struct cceph_watcher *watchers; };
int cceph_list_watchers(cceph_listing_io io, const char *oid, size_t oid_length,
                        cceph_listing_callback callback, void *argument);
void cceph_watcher_list_free(struct cceph_watcher_list *list);

#ifdef __cplusplus
}
#endif
#endif
