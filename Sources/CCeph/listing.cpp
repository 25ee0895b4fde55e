#include "native.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

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

#ifdef CCEPH_NATIVE

#include <list>

namespace {

template <typename T> T *allocate(size_t count) {
    return static_cast<T *>(calloc(count ? count : 1, sizeof(T)));
}

struct SnapSetRequest : cceph::Request {
    using Request::Request;
    librados::ObjectReadOperation operation;
    librados::snap_set_t set;
    int outcome = 0;

    void *reply(int &result) override {
        if (outcome < 0) { result = outcome; return nullptr; }
        auto *copy = convert();
        if (!copy) result = -ENOMEM;
        return copy;
    }

    cceph_snap_set *convert() const {
        auto *copy = allocate<cceph_snap_set>(1);
        if (!copy) return nullptr;
        copy->seq = set.seq;
        copy->clones = allocate<cceph_clone>(set.clones.size());
        if (!copy->clones) { cceph_snap_set_free(copy); return nullptr; }
        for (const auto &source : set.clones) {
            auto &clone = copy->clones[copy->clone_count++];
            clone.cloneid = source.cloneid;
            clone.size = source.size;
            clone.snaps = allocate<uint64_t>(source.snaps.size());
            clone.overlap = allocate<cceph_extent>(source.overlap.size());
            if (!clone.snaps || !clone.overlap) { cceph_snap_set_free(copy); return nullptr; }
            for (auto id : source.snaps) clone.snaps[clone.snap_count++] = id;
            for (const auto &extent : source.overlap) clone.overlap[clone.overlap_count++] = {extent.first, extent.second};
        }
        return copy;
    }
};

struct WatchersRequest : cceph::Request {
    using Request::Request;
    librados::ObjectReadOperation operation;
    std::list<obj_watch_t> watchers;
    int outcome = 0;

    void *reply(int &result) override {
        if (outcome < 0) { result = outcome; return nullptr; }
        auto *copy = convert();
        if (!copy) result = -ENOMEM;
        return copy;
    }

    cceph_watcher_list *convert() const {
        auto *copy = allocate<cceph_watcher_list>(1);
        if (!copy) return nullptr;
        copy->watchers = allocate<cceph_watcher>(watchers.size());
        if (!copy->watchers) { cceph_watcher_list_free(copy); return nullptr; }
        for (const auto &source : watchers) {
            auto &watcher = copy->watchers[copy->count++];
            strncpy(watcher.address, source.addr, sizeof watcher.address - 1);
            watcher.client_id = source.watcher_id;
            watcher.cookie = source.cookie;
        }
        return copy;
    }
};

}  // namespace

extern "C" int cceph_list_snaps(cceph_io io, const char *oid, cceph_callback callback, void *argument) {
    auto request = std::make_unique<SnapSetRequest>(callback, argument);
    request->operation.list_snaps(&request->set, &request->outcome);
    return cceph::submit(std::move(request), [&](SnapSetRequest &request) {
        return cceph::io(io)->snapshots.aio_operate(oid, request.completion, &request.operation, nullptr);
    });
}

extern "C" int cceph_list_watchers(cceph_io io, const char *oid, cceph_callback callback, void *argument) {
    auto request = std::make_unique<WatchersRequest>(callback, argument);
    request->operation.list_watchers(&request->watchers, &request->outcome);
    return cceph::submit(std::move(request), [&](WatchersRequest &request) {
        return cceph::io(io)->heads.aio_operate(oid, request.completion, &request.operation, nullptr);
    });
}

#else

extern "C" int cceph_list_snaps(cceph_io, const char *, cceph_callback, void *) { return -EOPNOTSUPP; }
extern "C" int cceph_list_watchers(cceph_io, const char *, cceph_callback, void *) { return -EOPNOTSUPP; }

#endif
