#include "cceph_listing.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#if __has_include(<rados/librados.hpp>) && !defined(CCEPH_WITHOUT_LIBRADOS_HPP)

#include <list>
#include <memory>
#include <new>
#include <string>
#include <rados/librados.hpp>

namespace {

struct Listing {
    librados::IoCtx heads;
    librados::IoCtx snapshots;
};

struct Request {
    cceph_listing_callback callback;
    void *argument;
    librados::ObjectReadOperation operation;
    librados::AioCompletion *completion = nullptr;
    int outcome = 0;
    librados::snap_set_t set;
    std::list<obj_watch_t> watchers;
    void *(*convert)(Request &) = nullptr;

    ~Request() { if (completion) completion->release(); }
};

template <typename T> T *allocate(size_t count) {
    return static_cast<T *>(calloc(count ? count : 1, sizeof(T)));
}

void *convert_snap_set(Request &request) {
    auto *set = allocate<cceph_snap_set>(1);
    if (!set) return nullptr;
    set->seq = request.set.seq;
    set->clones = allocate<cceph_clone>(request.set.clones.size());
    if (!set->clones) { cceph_snap_set_free(set); return nullptr; }
    for (const auto &source : request.set.clones) {
        auto &clone = set->clones[set->clone_count++];
        clone.cloneid = source.cloneid;
        clone.size = source.size;
        clone.snaps = allocate<uint64_t>(source.snaps.size());
        clone.overlap = allocate<cceph_extent>(source.overlap.size());
        if (!clone.snaps || !clone.overlap) { cceph_snap_set_free(set); return nullptr; }
        for (auto id : source.snaps) clone.snaps[clone.snap_count++] = id;
        for (const auto &extent : source.overlap) clone.overlap[clone.overlap_count++] = {extent.first, extent.second};
    }
    return set;
}

void *convert_watchers(Request &request) {
    auto *list = allocate<cceph_watcher_list>(1);
    if (!list) return nullptr;
    list->watchers = allocate<cceph_watcher>(request.watchers.size());
    if (!list->watchers) { cceph_watcher_list_free(list); return nullptr; }
    for (const auto &source : request.watchers) {
        auto &watcher = list->watchers[list->count++];
        strncpy(watcher.address, source.addr, sizeof watcher.address - 1);
        watcher.client_id = source.watcher_id;
        watcher.cookie = source.cookie;
    }
    return list;
}

void finished(librados::completion_t, void *argument) {
    std::unique_ptr<Request> request(static_cast<Request *>(argument));
    int result = request->completion->get_return_value();
    if (result >= 0 && request->outcome < 0) result = request->outcome;
    void *reply = nullptr;
    if (result >= 0) {
        reply = request->convert(*request);
        result = reply ? 0 : -ENOMEM;
    }
    request->callback(request->argument, result, reply);
}

int start(librados::IoCtx &io, const char *oid, size_t length, std::unique_ptr<Request> request) {
    request->completion = librados::Rados::aio_create_completion(request.get(), finished);
    Request *raw = request.release();
    int refused = io.aio_operate(std::string(oid, length), raw->completion, &raw->operation, nullptr);
    if (refused < 0) delete raw;
    return refused;
}

}  // namespace

extern "C" int cceph_listing_available(void) { return 1; }

extern "C" cceph_listing_io cceph_listing_open(rados_ioctx_t io) {
    auto *listing = new (std::nothrow) Listing;
    if (!listing) return nullptr;
    librados::IoCtx shared;
    librados::IoCtx::from_rados_ioctx_t(io, shared);
    listing->heads.dup(shared);
    listing->heads.snap_set_read(LIBRADOS_SNAP_HEAD);
    listing->snapshots.dup(shared);
    listing->snapshots.snap_set_read(LIBRADOS_SNAP_DIR);
    return listing;
}

extern "C" void cceph_listing_close(cceph_listing_io io) { delete static_cast<Listing *>(io); }

extern "C" int cceph_list_snaps(cceph_listing_io io, const char *oid, size_t length,
                                cceph_listing_callback callback, void *argument) {
    auto request = std::make_unique<Request>();
    request->callback = callback;
    request->argument = argument;
    request->convert = convert_snap_set;
    request->operation.list_snaps(&request->set, &request->outcome);
    return start(static_cast<Listing *>(io)->snapshots, oid, length, std::move(request));
}

extern "C" int cceph_list_watchers(cceph_listing_io io, const char *oid, size_t length,
                                   cceph_listing_callback callback, void *argument) {
    auto request = std::make_unique<Request>();
    request->callback = callback;
    request->argument = argument;
    request->convert = convert_watchers;
    request->operation.list_watchers(&request->watchers, &request->outcome);
    return start(static_cast<Listing *>(io)->heads, oid, length, std::move(request));
}

#else

extern "C" int cceph_listing_available(void) { return 0; }
extern "C" cceph_listing_io cceph_listing_open(rados_ioctx_t) { return nullptr; }
extern "C" void cceph_listing_close(cceph_listing_io) {}
extern "C" int cceph_list_snaps(cceph_listing_io, const char *, size_t, cceph_listing_callback, void *) {
    return -EOPNOTSUPP;
}
extern "C" int cceph_list_watchers(cceph_listing_io, const char *, size_t, cceph_listing_callback, void *) {
    return -EOPNOTSUPP;
}

#endif

extern "C" void cceph_snap_set_free(struct cceph_snap_set *set) {
    if (!set) return;
    for (size_t i = 0; i < set->clone_count; i++) {
        free(set->clones[i].snaps);
        free(set->clones[i].overlap);
    }
    free(set->clones);
    free(set);
}

extern "C" void cceph_watcher_list_free(struct cceph_watcher_list *list) {
    if (!list) return;
    free(list->watchers);
    free(list);
}
