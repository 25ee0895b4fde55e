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
}
