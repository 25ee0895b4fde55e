import CephSandbox
import Foundation

/// An image's content, for tests that look at single objects of an unfinished copy.
struct ImageBytes: Sendable {
    private let bytes: Data
    let objectSize: Int

    /// Reads HEAD with `rbd export`.
    static func of(_ image: String, on site: Site, objectSize: Int) async throws -> ImageBytes {
        let file = site.cluster.folder.appending("export-\(site.pool)-\(image)").string
        defer { try? FileManager.default.removeItem(atPath: file) }
        try? FileManager.default.removeItem(atPath: file)
        try await site.rbd("export", "--no-progress", site.spec(image), file)
        return ImageBytes(bytes: try Data(contentsOf: URL(filePath: file)), objectSize: objectSize)
    }

    private init(bytes: Data, objectSize: Int) {
        self.bytes = bytes
        self.objectSize = objectSize
    }

    private func object(_ number: Int) -> Data {
        bytes[number * objectSize..<min((number + 1) * objectSize, bytes.count)]
    }

    /// Expects each object to be as it was at one of these points: a copy that was cut off has some of each, and nothing else.
    ///
    /// - Returns: How many objects are as at the last point and not as at any other.
    @discardableResult
    func expectObjects(of points: [ImageBytes]) throws -> Int {
        var strange: [Int] = [], new = 0
        for number in 0..<(bytes.count + objectSize - 1) / objectSize {
            let mine = object(number)
            guard let match = points.firstIndex(where: { $0.object(number) == mine }) else {
                strange.append(number)
                continue
            }
            if match == points.count - 1 { new += 1 }
        }
        guard strange.isEmpty else {
            let text = "\(strange.count) objects have bytes that the source never had, as \(strange.prefix(8))"
            throw ToolFailure(tool: "the copy", text: text)
        }
        return new
    }
}
