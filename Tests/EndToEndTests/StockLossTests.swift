import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// What a stock daemon lost on its replica while it said that it was in step, ours has there when it takes over.
    @Suite struct StockLossTests {
        @Test func isMended() async throws {
            try await withScene("stock-loss") { scene in
                let images = Loss.allCases.map { Image(scene, $0) }
                for image in images { try await image.begin() }
                let stock = try await scene.startStock(on: scene.siteB)
                for image in images { try await scene.waitForStock(image.name) }
                for image in images { try await image.change() }
                for image in images { try await scene.waitForStock(image.name) }
                try await stock.stop()
                var stocks: [UInt64] = []
                for image in images {
                    stocks.append(try await scene.siteB.lastMirrorSnapshot(image.name).id)
                    await #expect(throws: Disagreement.self, "stock has all of \(image.name)") { try await image.compare() }
                }
                try await images.first { $0.loss == .behindNewer }!.addNewer()

                let daemon = try await scene.startDaemon(on: scene.siteB)
                for (image, last) in zip(images, stocks) {
                    try await image.waitUntilSealed(after: last)
                    try await image.compare()
                    if image.loss != .behindDemotion { try await scene.siteA.mirror("demote", image: image.name) }
                    try await scene.waitForSync(image.name)
                    try await scene.siteB.mirror("promote", image: image.name)
                    try await scene.checkObjectMaps(image.name, on: scene.siteB)
                    try await image.compare()
                }
                try await daemon.terminate()
            }
        }
    }
}

/// What a stock daemon is led to miss.
private enum Loss: String, CaseIterable {
    /// Discards above all that was written to the object.
    case discards
    /// The same in the last point of a source that was demoted, or with a newer point that nobody has copied yet.
    case behindDemotion, behindNewer
    /// What `rbd snap rollback` undid.
    case rollback
    /// That an object changed before a user snapshot was taken, in the point before, when it changed again behind the snapshot.
    case olderChange
}

/// An image on site A, of which a stock daemon misses a change.
private struct Image {
    private static let objects = 6, objectSize = 4 << 20
    let scene: Scene
    let loss: Loss
    var name: String { loss.rawValue }

    init(_ scene: Scene, _ loss: Loss) {
        self.scene = scene
        self.loss = loss
    }

    func begin() async throws {
        try await scene.createImage(name, mebibytes: Self.objects << 2)
        for object in 0..<Self.objects { try await write(UInt8(object + 1), in: object, count: Self.objectSize) }
        if loss == .rollback {
            try await snapshot("create", "early")
            try await snapshot("create", "old")
            try await write(0xaa, in: 2)
        }
        if loss == .olderChange {
            try await snapshot("create", "early")
            try await write(0xaa, in: 2)
        }
        try await scene.takeMirrorSnapshot(name)
    }

    func change() async throws {
        switch loss {
        case .rollback: try await snapshot("rollback", "old")
        case .olderChange:
            try await snapshot("create", "late")
            try await write(0xbb, in: 2)
        default: try await discardEnds()
        }
        if loss == .behindDemotion {
            try await scene.siteA.mirror("demote", image: name)
        } else {
            try await scene.takeMirrorSnapshot(name)
        }
    }

    func addNewer() async throws {
        try await write(0x77, in: 1)
        try await scene.takeMirrorSnapshot(name)
    }

    private func discardEnds() async throws {
        var stream = DiffStream()
        for object in 0..<Self.objects {
            let start = object * Self.objectSize
            // Of one object nothing is left, of another its middle is gone.
            if object == 4 {
                stream.discard(start..<start + Self.objectSize)
                continue
            }
            stream.write([UInt8](repeating: 0xee, count: 4096), at: start)
            stream.discard(start + Self.objectSize / 4..<start + Self.objectSize / (object == 5 ? 2 : 1))
        }
        try await scene.siteA.write(stream, to: name)
    }

    private func write(_ byte: UInt8, in object: Int, count: Int = 300_000) async throws {
        var stream = DiffStream()
        stream.write([UInt8](repeating: byte, count: count), at: object * Self.objectSize)
        try await scene.siteA.write(stream, to: name)
    }

    private func snapshot(_ verb: String, _ other: String) async throws {
        try await scene.siteA.rbd("snap", verb, "--no-progress", "\(scene.siteA.spec(name))@\(other)")
    }

    func compare() async throws {
        try await ImageJudge(image: name, diffs: loss == .olderChange ? .wholeObjects : .none).compare(scene.siteA, scene.siteB)
    }

    /// Waits until our daemon has a snapshot of its own of the newest point: after all was compared.
    ///
    /// - Parameter stocks: The last one of the stock daemon.
    func waitUntilSealed(after stocks: UInt64) async throws {
        let newest = try await scene.siteA.lastMirrorSnapshot(name).id
        try await waitUntil("the newest point of \(name) is sealed", within: .seconds(60), every: .milliseconds(200)) {
            let last = try await scene.siteB.lastMirrorSnapshot(name)
            return last.id > stocks && last.isComplete && last.primaryID == newest
        }
        try await scene.waitForSync(name)
    }
}
