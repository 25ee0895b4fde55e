import CephCore
import CephSandbox
import Glibc
import Testing

@Suite(.timeLimit(.minutes(5))) struct ImageInfoTests {
    private struct StockInfo: Decodable {
        var id: String
        var size: UInt64
        var objects: UInt64
        var order: Int
        var block_name_prefix: String
        var features: [String]
        var stripe_unit: UInt64?
        var stripe_count: UInt64?
    }

    @Test func agreesWithTheStockTool() async throws {
        let options = ImageOptions(
            features: [.layering, .exclusiveLock, .objectMap, .fastDiff, .striping], order: 20, stripeUnit: 65536, stripeCount: 4)
        try await withScratchImage(size: 10 << 20, options) { pool, name in
            let stock = try await Live.sandbox().rbdJSON("info", "images/\(name)", as: StockInfo.self)
            try await pool.withImage(name) { image in
                let info = try await image.info()
                #expect(info.id == stock.id && info.id == image.id)
                #expect(info.name == name && image.name == name)
                #expect(info.size == 10 << 20 && info.size == stock.size)
                #expect(info.order == 20 && info.order == stock.order && info.objectSize == 1 << 20)
                #expect(info.objectCount == stock.objects)
                #expect(info.dataPrefix == stock.block_name_prefix)
                #expect(info.features == [.layering, .exclusiveLock, .objectMap, .fastDiff, .striping])
                #expect(stock.features.count == 5)
                #expect(info.stripeUnit == stock.stripe_unit && info.stripeCount == stock.stripe_count)
                #expect(info.dataPool == pool.id)
                #expect(info.flags == [] && info.operationFeatures == 0)
                for time in [info.created, info.accessed, info.modified] { #expect(abs((time - now()) / .seconds(1)) < 600) }
            }
            try await pool.withImage(id: stock.id) { image in
                let name2 = image.name
                #expect(name2 == name && image.id == stock.id)
                let size = try await image.size()
                #expect(size == 10 << 20)
            }
        }
    }

    @Test func missingImagesAndPoolsAreNamed() async throws {
        let pool = try await Live.images()
        let error = await failure { _ = try await pool.openImage("nowhere") }
        #expect(error?.isNotFound == true)
        #expect(error?.subject == "\(pool.cluster.name):images/nowhere")
        #expect(await failure { _ = try await pool.openImage(id: "deadbeef", for: .readWrite) }?.isNotFound == true)
        #expect(await failure { try await pool.removeImage("nowhere") }?.isNotFound == true)
    }

    @Test func keepsDataInAnotherPool() async throws {
        try await Live.sandbox().createPool("data")
        try await withScratchImage(size: 16 << 20, .init(dataPool: "data")) { pool, name in
            try await pool.withImage(name) { image in
                let info = try await image.info()
                let data = try await Live.cluster().pool("data")
                #expect(info.dataPool == data.id && info.features.contains(.dataPool))
            }
        }
    }

    @Test func keepsMetadata() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                #expect(try await image.metadata().isEmpty)
                #expect(await failure { _ = try await image.metadata("none") }?.isNotFound == true)
                var all: [String: String] = ["empty": "", "long": String(repeating: "x", count: 100_000)]
                // More than a page of them.
                for number in 0..<150 { all["key-\(number)"] = "value \(number)" }
                for (key, value) in all { try await image.setMetadata(key, to: value) }
                #expect(try await image.metadata() == all)
                #expect(try await image.metadata("long").count == 100_000)
                #expect(try await image.metadata("empty") == "")
                try await image.removeMetadata("long")
                #expect(await failure { try await image.removeMetadata("long") }?.isNotFound == true)
                #expect(try await image.metadata().count == all.count - 1)
            }
        }
    }

    @Test func knowsParentAndChildren() async throws {
        try await withScratchImage { pool, name in
            let child = unique("child")
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.write(pattern(1, 8192), at: 0)
                try await image.createSnapshot("base")
                try await image.protectSnapshot("base")
                #expect(try await image.parent() == nil)
                #expect(try await image.children().isEmpty)
                try await pool.cloneImage(name, at: "base", to: child, .init(cloneFormat: 1))
                let children = try await image.children()
                #expect(children.map(\.imageName) == [child])
                #expect(children[0].poolID == pool.id && children[0].poolName == "images" && !children[0].isInTrash)
                #expect(await failure { try await image.unprotectSnapshot("base") }?.isBusy == true)
            }
            try await pool.withImage(child, for: .readWrite) { image in
                let parent = try #require(try await image.parent())
                #expect(parent.image.imageName == name && parent.snapshotName == "base" && parent.overlap == 16 << 20)
                #expect(try await image.read(0..<8192) == pattern(1, 8192))
                let seen = Counter()
                try await image.flatten { _, _ in seen.add() }
                #expect(seen.value > 0)
                #expect(try await image.parent() == nil)
                #expect(try await image.read(0..<8192) == pattern(1, 8192))
            }
            try await pool.removeImage(child)
        }
    }

    @Test func resizes() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.resize(to: 64 << 20)
                #expect(try await image.size() == 64 << 20)
                #expect(await failure { try await image.resize(to: 8 << 20) }?.code == EINVAL)
                let seen = Counter()
                try await image.write(pattern(1, 4096), at: 60 << 20)
                try await image.resize(to: 8 << 20, shrinking: true) { _, _ in seen.add() }
                #expect(try await image.size() == 8 << 20)
                #expect(seen.value > 0)
            }
        }
    }

    @Test func switchesFeaturesAndRebuildsTheObjectMap() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.updateFeatures([.objectMap, .fastDiff], enabled: false)
                #expect(try await image.info().features.isDisjoint(with: [.objectMap, .fastDiff]))
                try await image.write(pattern(1, 4096), at: 0)
                try await image.updateFeatures([.objectMap, .fastDiff], enabled: true)
                #expect(try await image.info().flags == [.objectMapInvalid, .fastDiffInvalid])
                try await image.rebuildObjectMap()
                #expect(try await image.info().flags == [])
                #expect(await failure { try await image.updateFeatures(.layering, enabled: false) }?.code == EINVAL)
            }
            let check = try await Live.sandbox().rbd("object-map", "check", "images/\(name)")
            #expect(!check.contains("error"))
        }
    }

    @Test func sparsifies() async throws {
        try await withScratchImage(size: 16 << 20, .init(order: 20)) { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.write([UInt8](repeating: 0, count: 1 << 20), at: 0)
                try await image.flush()
                let prefix = try await image.info().dataPrefix
                #expect(try await pool.exists("\(prefix).0000000000000000"))
                try await image.sparsify()
                #expect(try await !pool.exists("\(prefix).0000000000000000"))
            }
        }
    }
}
