import CephCore
import CephSandbox
import Glibc
import Testing

@Suite(.timeLimit(.minutes(5))) struct ImageDataTests {
    @Test func writesAndReadsBytes() async throws {
        try await withScratchImage { pool, name in
            let data = pattern(1, 100_000)
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.write(data, at: (4 << 20) - 50_000)
                try await image.flush()
                #expect(try await image.read((4 << 20) - 50_000..<(4 << 20) + 50_000) == data)
                #expect(try await image.read(0..<4096) == [UInt8](repeating: 0, count: 4096))
            }
            // The judge is the stock tool.
            let sandbox = try await Live.sandbox()
            let file = sandbox.folder.appending(unique("export"))
            try await sandbox.rbd("export", "images/\(name)", file.string)
            let sum = try await SandboxProcess.run("sh", ["-c", "dd if=\(file) bs=1 skip=4144304 count=16 status=none"])
            #expect(sum.standardOutput == Array(data.prefix(16)))
        }
    }

    @Test func readsIntoTheCallersBuffer() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                let data = pattern(2, 8192)
                let buffer = IOBuffer(capacity: 16384)
                buffer.withBytes { $0.baseAddress!.advanced(by: 4096).copyMemory(from: data, byteCount: 8192) }
                try await image.write(buffer, 4096..<12288, at: 512)
                let target = IOBuffer(capacity: 16384)
                _ = target.withBytes { $0.initializeMemory(as: UInt8.self, repeating: 7) }
                #expect(try await image.read(at: 512, into: target, 1000..<9192) == 8192)
                let bytes = target.withBytes { Array($0) }
                #expect(bytes[..<1000].allSatisfy { $0 == 7 })
                #expect(Array(bytes[1000..<9192]) == data)
                #expect(bytes[9192...].allSatisfy { $0 == 7 })
            }
        }
    }

    @Test func readsFewerBytesAtTheEnd() async throws {
        try await withScratchImage(size: 10_000) { pool, name in
            try await pool.withImage(name) { image in
                let tail = try await image.read(9_000..<12_000)
                #expect(tail.count == 1_000)
                #expect(await failure { _ = try await image.read(10_000..<10_001) }?.code == EINVAL)
                #expect(try await image.read(5..<5).isEmpty)
            }
        }
    }

    @Test func refusesWritesBeyondTheEndAndOnReadOnlyImages() async throws {
        try await withScratchImage(size: 10_000) { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                #expect(await failure { try await image.write([1], at: 10_000) }?.code == EINVAL)
            }
            try await pool.withImage(name) { image in
                let error = await failure { try await image.write([1], at: 0) }
                #expect(error?.code == EROFS)
                #expect(error?.subject == "\(pool.cluster.name):images/\(name)")
                #expect(await failure { try await image.discard(0..<4096) }?.code == EROFS)
            }
        }
    }

    @Test func discardsAndZeroes() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.write(pattern(3, 8 << 20), at: 0)
                try await image.discard(0..<4 << 20)
                try await image.writeZeroes(5 << 20..<(5 << 20) + 100)
                try await image.flush()
                #expect(try await image.read(0..<4 << 20).allSatisfy { $0 == 0 })
                #expect(try await image.read(5 << 20..<(5 << 20) + 100).allSatisfy { $0 == 0 })
                #expect(try await image.read((5 << 20) + 100..<(5 << 20) + 200) == Array(pattern(3, 8 << 20)[(5 << 20) + 100..<(5 << 20) + 200]))
                let prefix = try await image.info().dataPrefix
                #expect(try await !pool.exists("\(prefix).0000000000000000"))
                #expect(try await pool.exists("\(prefix).0000000000000001"))
            }
        }
    }

    @Test func manyAtOnce() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<256 {
                        group.addTask {
                            let data = pattern(UInt64(number), 4096)
                            try await image.write(data, at: UInt64(number) * 8192)
                            #expect(try await image.read(UInt64(number) * 8192..<UInt64(number) * 8192 + 4096) == data)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func aClosedImageRefuses() async throws {
        try await withScratchImage { pool, name in
            let image = try await pool.openImage(name, for: .readWrite)
            async let writing: Void = image.write(pattern(4, 4 << 20), at: 0)
            try await writing
            try await image.close()
            try await image.close()
            #expect(await failure { _ = try await image.read(0..<1) }?.code == ENOTCONN)
            #expect(await failure { _ = try await image.snapshots() }?.code == ENOTCONN)
        }
    }

    @Test func closingWaitsForCallsInFlight() async throws {
        try await withScratchImage { pool, name in
            let image = try await pool.openImage(name, for: .readWrite)
            let written = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<64 {
                    group.addTask { (try? await image.write(pattern(5, 65536), at: UInt64(number) * 65536)) != nil }
                }
                group.addTask {
                    try? await image.close()
                    return false
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            // Each write either was done or was refused, and the image is intact.
            try await pool.withImage(name) { image in
                var found = 0
                for number in 0..<64 {
                    let start = UInt64(number) * 65536
                    if try await image.read(start..<start + 65536) == pattern(5, 65536) { found += 1 }
                }
                #expect(found == written)
            }
        }
    }

    @Test func anImageThatIsLetGoClosesItself() async throws {
        try await withScratchImage { pool, name in
            var image: Image? = try await pool.openImage(name, for: .readWrite)
            let header = "rbd_header.\(image!.id)"
            #expect(try await pool.watchers(of: header).count == 1)
            image = nil
            try await waitUntil("the watch is gone") { try await pool.watchers(of: header).isEmpty }
            withExtendedLifetime(image) {}
        }
    }
}
