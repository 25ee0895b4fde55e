#include "native.hpp"

#include <cerrno>
#include <new>

#ifdef CCEPH_NATIVE

extern "C" int cceph_native_available(void) { return 1; }

extern "C" cceph_io cceph_io_open(rados_ioctx_t handle) {
    auto *io = new (std::nothrow) cceph::IO;
    if (!io) return nullptr;
    librados::IoCtx::from_rados_ioctx_t(handle, io->plain);
    io->heads.dup(io->plain);
    io->heads.snap_set_read(LIBRADOS_SNAP_HEAD);
    io->snapshots.dup(io->plain);
    io->snapshots.snap_set_read(LIBRADOS_SNAP_DIR);
    return io;
}

extern "C" void cceph_io_close(cceph_io handle) { delete cceph::io(handle); }

#else

extern "C" int cceph_native_available(void) { return 0; }
extern "C" cceph_io cceph_io_open(rados_ioctx_t) { return nullptr; }
extern "C" void cceph_io_close(cceph_io) {}

#endif
