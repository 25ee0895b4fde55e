import CephCore
import RBDImage
import TestSupport
import Testing

@Suite struct ImageHeaderTests {
    static let entries: [String: [UInt8]] = [
        "size": hex("0000004000000000"), "order": [22], "features": hex("3d04000000000000"), "object_prefix": hex("\"rbd_data.i1\""),
        "snap_seq": hex("0900000000000000"), "flags": hex("0100000000000000"), "op_features": hex("0200000000000000"),
        "data_pool_id": hex("ffffffffffffffff"), "snap_limit": hex("ffffffffffffffff"), "parent": Samples.parentRecord,
        "snapshot_0000000000000004": Samples.snapshotRecordOfClone, "metadata_k": Array("v".utf8), "future_key": [1, 2, 3],
    ]

    private func header(_ change: (inout [String: [UInt8]]) -> Void = { _ in }) throws -> ImageHeader {
        var entries = Self.entries
        change(&entries)
        return try ImageHeader(id: "i1", entries: entries.map { ($0.key, $0.value) })
    }

    @Test func everything() throws {
        let header = try header()
        #expect(header.size == 1 << 30 && header.layout == ImageLayout(order: 22))
        #expect(header.features == ImageFeatures.standard.union(.nonPrimary) && header.flags == .objectMapInvalid)
        #expect(header.operationFeatures == 2 && header.snapshotSequence == 9 && header.snapshotLimit == nil && header.dataPool == nil)
        #expect(header.parent?.imageID == "1036c631957" && header.metadata == ["k": [0x76]])
        #expect(header.snapshots == [ImageRecordTests.clone])
        #expect(header.objectName(255) == "rbd_data.i1.00000000000000ff")
        #expect(header.objectCount(forSize: header.size) == 256)
        #expect(header.writeContext.ids == [4] && header.writeContext(olderThan: 4).ids.isEmpty)
        #expect(header.comparableFeatures.rawValue == 0x2d)
    }

    @Test func stripingAndDataPool() throws {
        let header = try header {
            $0["stripe_unit"] = hex("0000010000000000")
            $0["stripe_count"] = hex("1000000000000000")
            $0["data_pool_id"] = hex("0300000000000000")
            $0["snap_limit"] = hex("0500000000000000")
        }
        #expect(header.layout == ImageLayout(order: 22, stripeUnit: 65536, stripeCount: 16))
        #expect(header.dataPool == 3 && header.snapshotLimit == 5)
    }

    @Test func withoutItsKeysItIsNoImage() {
        for key in ["size", "order", "object_prefix"] {
            #expect(throws: CephError(code: 2, operation: "read image header", subject: "rbd_header.i1")) {
                try header { $0[key] = nil }
            }
        }
    }

    /// Values that would make offsets or object numbers overflow.
    @Test(arguments: [
        ("order", "08"), ("order", "ff"), ("size", "ffffffffffffffff"), ("size", "00000000"), ("stripe_unit", "0300000000000000"),
        ("parent", "0202"), ("snapshot_0000000000000004", "0808 00000000"), ("object_prefix", "01000000 ff"), ("features", ""),
    ])
    func impossibleValuesAreRefused(_ key: String, _ value: String) {
        #expect { try header { $0[key] = hex(value) } } throws: { ($0 as? CephError)?.code == 74 }
    }

    @Test func impossibleStripeCount() {
        #expect(throws: CephError.self) {
            try header {
                $0["stripe_unit"] = hex("0010000000000000")
                $0["stripe_count"] = hex("0000000000000010")
            }
        }
    }
}
