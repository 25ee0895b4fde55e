import CephCore
import CephSandbox
import RBDImage

extension Sites {
    /// Makes an image of random bytes at site A.
    func makeImage(_ name: String, mebibytes: Int) async throws {
        let script = "set -o pipefail; head -c \(mebibytes)M /dev/urandom | rbd import --no-progress - \(Self.poolName)/\(name)"
        try await pair.siteA.run("bash", ["-c", script], timeout: .seconds(600))
    }

    func enableMirroring(_ name: String) async throws -> MirroredImage {
        try await pair.siteA.rbd("mirror", "image", "enable", "\(Self.poolName)/\(name)", "snapshot")
        return try await find(name)
    }

    func find(_ name: String) async throws -> MirroredImage {
        let id = try await source.imageID(named: name) ?? ""
        let record = try await MirrorDirectory(source).image(id)
        guard let record else { throw BenchmarkError("image \(name) is not mirrored") }
        return MirroredImage(name: name, id: id, globalID: record.globalID)
    }

    func write(_ image: MirroredImage, size: String, total: String, tasks: Int) async throws {
        try await pair.siteA.run(
            "rbd",
            ["bench", "--io-type", "write", "--io-pattern", "rand", "--io-size", size, "--io-total", total, "--io-threads", "\(tasks)",
             "\(Self.poolName)/\(image.name)"], timeout: .seconds(600))
    }

    func takeMirrorSnapshot(_ image: MirroredImage) async throws {
        try await pair.siteA.rbd("mirror", "image", "snapshot", "\(Self.poolName)/\(image.name)")
    }

    /// Compares what stock `rbd export` reads on both sites.
    func verify(_ image: MirroredImage) async throws {
        async let first = checksum(of: image, at: pair.siteA)
        async let second = checksum(of: image, at: pair.siteB)
        let sums = try await (first, second)
        guard sums.0 == sums.1 else { throw BenchmarkError("\(image.name) differs: \(sums.0) at site A, \(sums.1) at site B") }
    }

    private func checksum(of image: MirroredImage, at cluster: SandboxCluster) async throws -> String {
        let script = "set -o pipefail; rbd export --no-progress \(Self.poolName)/\(image.name) - | sha256sum"
        return String(try await cluster.run("bash", ["-c", script], timeout: .seconds(600)).prefix(64))
    }
}

/// Images that are mirrored but not yet listed as such, to be announced all at once.
struct HeldBackImages {
    let images: [MirroredImage]
    private let sites: Sites

    /// Makes images, turns mirroring on and takes them off the list of mirrored images; no daemon may run meanwhile.
    init(count: Int, mebibytes: Int, at sites: Sites) async throws {
        self.sites = sites
        let names = (0..<count).map { "new-\($0)" }
        try await concurrently(names, width: 8) { name in
            try await sites.makeImage(name, mebibytes: mebibytes)
            _ = try await sites.enableMirroring(name)
        }
        let directory = MirrorDirectory(sites.source)
        var images: [MirroredImage] = []
        for name in names {
            let image = try await sites.find(name)
            images.append(image)
            try await directory.setImage(image.id, MirrorImage(globalID: image.globalID, state: .disabling))
            try await directory.removeImage(image.id)
        }
        self.images = images
    }

    /// Lists them and notifies, as librbd does at the end of enabling.
    func announce() async throws {
        let directory = MirrorDirectory(sites.source)
        try await concurrently(images, width: 8) { image in
            try await directory.setImage(image.id, MirrorImage(globalID: image.globalID, state: .enabled))
            try await directory.notify(.imageUpdated(.enabled, id: image.id, globalID: image.globalID))
        }
    }
}

/// Runs a job for each element, so many at a time.
func concurrently<Element: Sendable>(
    _ elements: [Element], width: Int, _ job: @escaping @Sendable (Element) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, element) in elements.enumerated() {
            if index >= width { try await group.next() }
            group.addTask { try await job(element) }
        }
        try await group.waitForAll()
    }
}
