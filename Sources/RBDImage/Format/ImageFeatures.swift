/// Feature bits of an image.
public struct ImageFeatures: OptionSet, Hashable, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let layering = ImageFeatures(rawValue: 1 << 0)
    public static let striping = ImageFeatures(rawValue: 1 << 1)
    public static let exclusiveLock = ImageFeatures(rawValue: 1 << 2)
    public static let objectMap = ImageFeatures(rawValue: 1 << 3)
    public static let fastDiff = ImageFeatures(rawValue: 1 << 4)
    public static let deepFlatten = ImageFeatures(rawValue: 1 << 5)
    public static let journaling = ImageFeatures(rawValue: 1 << 6)
    public static let dataPool = ImageFeatures(rawValue: 1 << 7)
    /// Set by the class itself while operation features are in use.
    public static let operations = ImageFeatures(rawValue: 1 << 8)
    public static let migrating = ImageFeatures(rawValue: 1 << 9)
    /// A snapshot-mode replica: librbd opens it read-only.
    public static let nonPrimary = ImageFeatures(rawValue: 1 << 10)
    public static let dirtyCache = ImageFeatures(rawValue: 1 << 11)

    /// Bits each side decides for itself; never compared between sites.
    public static let implicit: ImageFeatures = [
        .striping, .dataPool, .fastDiff, .operations, .migrating, .nonPrimary, .dirtyCache,
    ]
    /// Bits that `set_features` can change.
    public static let mutable: ImageFeatures = [
        .exclusiveLock, .objectMap, .fastDiff, .journaling, .nonPrimary, .dirtyCache,
    ]
    /// Bits that can be switched off but never on.
    public static let disableOnly: ImageFeatures = [.deepFlatten]
    /// Bits a client must know to read the image.
    public static let incompatibleForReading: ImageFeatures = [.layering, .striping, .dataPool, .dirtyCache]
    /// Bits a client must know to write to it: all that there are.
    public static let incompatibleForWriting = ImageFeatures(rawValue: 0xfff)
    /// What `rbd create` gives an image unless told otherwise.
    public static let standard: ImageFeatures = [.layering, .exclusiveLock, .objectMap, .fastDiff, .deepFlatten]
}

extension ImageFeatures: CustomStringConvertible {
    private static let names = [
        "layering", "striping", "exclusive-lock", "object-map", "fast-diff", "deep-flatten", "journaling", "data-pool",
        "operations", "migrating", "non-primary", "dirty-cache",
    ]

    /// The features' names as `rbd` writes them, in the order of the bits; unknown bits as their number.
    public var names: [String] {
        (0..<64).filter { rawValue >> UInt64($0) & 1 == 1 }.map { $0 < Self.names.count ? Self.names[$0] : "bit-\($0)" }
    }

    /// A single feature by its name.
    public init?(name: String) {
        guard let bit = Self.names.firstIndex(of: name) else { return nil }
        self.init(rawValue: 1 << UInt64(bit))
    }

    public var description: String { names.joined(separator: ",") }
}

/// What an image is used for, beyond its features.
public struct OperationFeatures: OptionSet, Hashable, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Clones of format 2 hang on it.
    public static let cloneParent = OperationFeatures(rawValue: 1)
    /// It is a clone of format 2.
    public static let cloneChild = OperationFeatures(rawValue: 2)
    /// It is in a group.
    public static let group = OperationFeatures(rawValue: 4)
    /// It has snapshots in the trash.
    public static let snapshotTrash = OperationFeatures(rawValue: 8)
}
