/* Shared by the C++ sources: one asynchronous operation and its way back to C. */
#pragma once

#include "cceph_native.h"

#if __has_include(<rados/librados.hpp>) && !defined(CCEPH_WITHOUT_LIBRADOS_HPP)
#define CCEPH_NATIVE 1

#include <memory>
#include <rados/librados.hpp>

namespace cceph {

/* The views of one I/O context: as it is, of all snapshots, of the head. */
struct IO {
    librados::IoCtx plain, snapshots, heads;
};

inline IO *io(cceph_io handle) { return static_cast<IO *>(handle); }

/* Owns everything that an operation in flight refers to. */
struct Request {
    cceph_callback callback;
    void *argument;
    librados::AioCompletion *completion = nullptr;

    Request(cceph_callback callback, void *argument) : callback(callback), argument(argument) {}
    virtual ~Request() { if (completion) completion->release(); }
    /* Turns success into the reply; a negative errno in `result` drops it. */
    virtual void *reply(int &result) = 0;

    static void finished(librados::completion_t, void *argument) {
        std::unique_ptr<Request> request(static_cast<Request *>(argument));
        int result = request->completion->get_return_value();
        void *reply = result < 0 ? nullptr : request->reply(result);
        request->callback(request->argument, result, reply);
    }
};

/* Submits through `operate(completion)`; the request frees itself when it is done. */
template <typename R, typename F> int submit(std::unique_ptr<R> request, F operate) {
    R *raw = request.release();
    raw->completion = librados::Rados::aio_create_completion(static_cast<Request *>(raw), Request::finished);
    int refused = operate(*raw);
    if (refused < 0) delete raw;
    return refused;
}

}  // namespace cceph
#endif
