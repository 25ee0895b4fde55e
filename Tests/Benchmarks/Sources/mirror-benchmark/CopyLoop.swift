import CephCore
import RBDImage

/// Reads an image's objects from one cluster and writes them to the other, and nothing else: the limit of any copy.
struct CopyLoop {
    let sites: Sites
    let image: MirroredImage

    /// Returns the seconds it took and the bytes there were.
    func run(depth: Int) async throws -> (seconds: Double, bytes: Int) {
        try await sites.pair.siteB.createPool("copy-\(depth)")
        let target = try await sites.replica.cluster.pool("copy-\(depth)")
        let source = sites.source
        let header = try await source.imageHeader(image.id)
        let size = header.layout.objectSize
        let numbers = Array(0..<header.objectCount(forSize: header.size))
        // The placement groups of a new pool take their time to become active.
        try await concurrently(numbers, width: depth) { try await target.write([0], to: "\($0)") }
        let start = ContinuousClock.now
        try await concurrently(numbers, width: depth) { number in
            let data = try await source.data(of: header.objectName(number), in: [0..<size])
            var update = ObjectUpdate()
            update.write(data, piece: 0, 0..<data.count, at: 0)
            try await target.apply(update, to: "\(number)")
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        try await concurrently(numbers, width: 16) { try await target.removeIfExists("\($0)") }
        return (seconds, numbers.count << Int(header.layout.order))
    }
}
