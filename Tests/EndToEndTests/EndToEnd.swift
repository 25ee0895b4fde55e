import Testing

/// Our daemon against two real clusters, judged by the stock tools.
///
/// All tests share the two clusters and run one after the other: a daemon serves every pool of its cluster, and some
/// tests freeze a cluster. Each has a pool of its own, removed at its end. `CEPH_MIRRORING_SEED` repeats a run,
/// `CEPH_MIRRORING_COUNT`, `CEPH_MIRRORING_SECONDS` and `CEPH_MIRRORING_MIB` make it longer and larger.
@Suite(.serialized) struct EndToEnd {}
