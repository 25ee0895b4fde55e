extension StringProtocol {
    /// Whether the text comes before another in Ceph's order, which is that of the bytes.
    package func precedesByBytes(_ other: some StringProtocol) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
