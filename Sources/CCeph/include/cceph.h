/* The whole of C that the package sees: librados, librbd and what Swift cannot say itself. */
#ifndef CCEPH_H
#define CCEPH_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include <rados/librados.h>
#include <rbd/librbd.h>

_Static_assert(sizeof(off_t) == 8, "LP64 only: Ceph's layouts are large-file ones");

#include "cceph_crc32c.h"
#include "cceph_native.h"

#endif
