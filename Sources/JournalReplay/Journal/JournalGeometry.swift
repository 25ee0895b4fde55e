/// How a journal's entries are spread over objects.
public struct JournalGeometry: Hashable, Sendable {
    /// A data object takes 2 to this power bytes, about: 12...26.
    public var order: UInt8
    /// How many objects are written side by side: 1 or more.
    public var splayWidth: UInt8
    /// The id of a pool for the data objects; nil for the pool and namespace of the image.
    public var dataPool: Int64?

    /// As stock makes one by default: objects of 16 MiB, four side by side.
    public init(order: UInt8 = 24, splayWidth: UInt8 = 4, dataPool: Int64? = nil) {
        (self.order, self.splayWidth, self.dataPool) = (order, splayWidth, dataPool)
    }

    public static let orders: ClosedRange<UInt8> = 12...26

    /// Whether a journal can be so.
    public var isValid: Bool { Self.orders.contains(order) && splayWidth > 0 }

    /// In bytes.
    public var objectSize: UInt64 { 1 << UInt64(order) }

    var width: UInt64 { UInt64(splayWidth) }
    /// Which of the objects that are written side by side has an entry.
    func lane(ofEntry entry: UInt64) -> UInt64 { entry % width }
    func lane(ofObject object: UInt64) -> UInt64 { object % width }
    /// The objects that are, or were, written at the same time.
    func set(ofObject object: UInt64) -> UInt64 { object / width }

    /// The objects of a set; none beyond the last number there is.
    func objects(ofSet set: UInt64) -> [UInt64] {
        let (first, overflows) = set.multipliedReportingOverflow(by: width)
        guard !overflows, first <= .max - width else { return [] }
        return Array(first..<first + width)
    }
}

/// Names of a journal's objects.
public enum JournalNames {
    public static func header(_ journal: String) -> String { "journal.\(journal)" }

    /// - Parameter pool: The id of the pool that has the header, wherever the data is.
    public static func dataPrefix(_ journal: String, headerPool pool: Int64) -> String { "journal_data.\(pool).\(journal)." }
}
