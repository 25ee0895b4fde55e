/// One call of an object class method: what runs on the OSD, next to the object.
public struct ClassCall: Hashable, Sendable {
    /// The object class, as in `rbd` or `lock`.
    public let className: String
    public let method: String
    /// The method's encoded input.
    public let input: [UInt8]

    public init(_ className: String, _ method: String, input: [UInt8] = []) {
        self.className = className
        self.method = method
        self.input = input
    }
}
