internal import CCeph

/// Flags of a whole compound operation.
public struct OperationFlags: OptionSet, Hashable, Sendable {
    public let rawValue: CInt
    public init(rawValue: CInt) { self.rawValue = rawValue }

    /// Fail with `ENOSPC` or `EDQUOT` when the pool is full instead of waiting (`LIBRADOS_OPERATION_FULL_TRY`).
    public static let failWhenFull = OperationFlags(rawValue: CInt(LIBRADOS_OPERATION_FULL_TRY))
    /// Work on a full pool, for operations that free space (`LIBRADOS_OPERATION_FULL_FORCE`).
    public static let evenWhenFull = OperationFlags(rawValue: CInt(LIBRADOS_OPERATION_FULL_FORCE))
    /// Fail when the write's snapshot context is older than the object's (`LIBRADOS_OPERATION_ORDERSNAP`).
    public static let orderedSnapshots = OperationFlags(rawValue: CInt(LIBRADOS_OPERATION_ORDERSNAP))
    /// Read from any replica (`LIBRADOS_OPERATION_BALANCE_READS`).
    public static let balancedReads = OperationFlags(rawValue: CInt(LIBRADOS_OPERATION_BALANCE_READS))
}

/// How a guard compares a stored value (left) with the given one (right).
public struct Comparison: Hashable, Sendable {
    let rawValue: UInt8
    public static let equal = Comparison(rawValue: 1)
    public static let notEqual = Comparison(rawValue: 2)
    public static let greater = Comparison(rawValue: 3)
    public static let greaterOrEqual = Comparison(rawValue: 4)
    public static let less = Comparison(rawValue: 5)
    public static let lessOrEqual = Comparison(rawValue: 6)
}
