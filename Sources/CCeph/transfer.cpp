#include "native.hpp"

#include <cerrno>

#ifdef CCEPH_NATIVE

#include <vector>

namespace {

struct Data {
    std::vector<librados::bufferlist> pieces;
};

struct ReadRequest : cceph::Request {
    using Request::Request;
    librados::ObjectReadOperation operation;
    std::unique_ptr<Data> data = std::make_unique<Data>();
    std::vector<int> outcomes;

    void *reply(int &result) override {
        for (int outcome : outcomes) if (outcome < 0) { result = outcome; return nullptr; }
        /* In one stretch each before anybody shares them: looking at them later must not change them. */
        for (auto &piece : data->pieces) if (piece.length()) piece.c_str();
        return data.release();
    }
};

struct UpdateRequest : cceph::Request {
    using Request::Request;
    void *reply(int &) override { return nullptr; }
};

librados::ObjectWriteOperation &operation(cceph_update update) {
    return *static_cast<librados::ObjectWriteOperation *>(update);
}

}  // namespace

extern "C" int cceph_read(cceph_io io, const char *oid, const struct cceph_extent *extents, size_t count,
                          cceph_callback callback, void *argument) {
    auto request = std::make_unique<ReadRequest>(callback, argument);
    request->data->pieces.resize(count);
    request->outcomes.resize(count);
    for (size_t i = 0; i < count; i++)
        request->operation.read(extents[i].offset, extents[i].length, &request->data->pieces[i], &request->outcomes[i]);
    return cceph::submit(std::move(request), [&](ReadRequest &request) {
        return cceph::io(io)->plain.aio_operate(oid, request.completion, &request.operation, nullptr);
    });
}

extern "C" const void *cceph_data_piece(cceph_data data, size_t piece, size_t *length) {
    const auto &list = static_cast<Data *>(data)->pieces[piece];
    *length = list.length();
    return list.length() ? list.front().c_str() : nullptr;
}

extern "C" void cceph_data_free(cceph_data data) { delete static_cast<Data *>(data); }

extern "C" cceph_update cceph_update_create(void) { return new librados::ObjectWriteOperation; }
extern "C" void cceph_update_free(cceph_update update) { delete &operation(update); }

extern "C" void cceph_update_hint(cceph_update update, uint64_t object_size, uint64_t write_size) {
    operation(update).set_alloc_hint2(object_size, write_size, 0);
}
extern "C" void cceph_update_ensure_exists(cceph_update update) { operation(update).create(false); }

extern "C" void cceph_update_assert_exists(cceph_update update) { operation(update).assert_exists(); }
extern "C" void cceph_update_write(cceph_update update, cceph_data data, size_t piece, size_t from, size_t length,
                                   uint64_t offset) {
    librados::bufferlist part;
    part.substr_of(static_cast<Data *>(data)->pieces[piece], from, length);
    operation(update).write(offset, part);
}
extern "C" void cceph_update_zero(cceph_update update, uint64_t offset, uint64_t length) {
    operation(update).zero(offset, length);
}
extern "C" void cceph_update_truncate(cceph_update update, uint64_t size) { operation(update).truncate(size); }
extern "C" void cceph_update_remove(cceph_update update) { operation(update).remove(); }

extern "C" int cceph_update_apply(cceph_io io, const char *oid, cceph_update update, int flags,
                                  cceph_callback callback, void *argument) {
    auto request = std::make_unique<UpdateRequest>(callback, argument);
    return cceph::submit(std::move(request), [&](UpdateRequest &request) {
        return cceph::io(io)->plain.aio_operate(oid, request.completion, &operation(update), flags);
    });
}

#else

extern "C" int cceph_read(cceph_io, const char *, const struct cceph_extent *, size_t, cceph_callback, void *) {
    return -EOPNOTSUPP;
}
extern "C" const void *cceph_data_piece(cceph_data, size_t, size_t *length) { *length = 0; return nullptr; }
extern "C" void cceph_data_free(cceph_data) {}
extern "C" cceph_update cceph_update_create(void) { return nullptr; }
extern "C" void cceph_update_free(cceph_update) {}
extern "C" void cceph_update_hint(cceph_update, uint64_t, uint64_t) {}
extern "C" void cceph_update_ensure_exists(cceph_update) {}
extern "C" void cceph_update_assert_exists(cceph_update) {}
extern "C" void cceph_update_write(cceph_update, cceph_data, size_t, size_t, size_t, uint64_t) {}
extern "C" void cceph_update_zero(cceph_update, uint64_t, uint64_t) {}
extern "C" void cceph_update_truncate(cceph_update, uint64_t) {}
extern "C" void cceph_update_remove(cceph_update) {}
extern "C" int cceph_update_apply(cceph_io, const char *, cceph_update, int, cceph_callback, void *) {
    return -EOPNOTSUPP;
}

#endif
