/// A class method that reads, and how its reply is read.
///
///     let query = HeaderMethod.snapshotContext()
///     let reply = try query.decode(await pool.call(query.call, on: header))
public struct ClassQuery<Reply>: Sendable {
    public let call: ClassCall
    private let body: @Sendable (inout Decoder) throws(WireError) -> Reply

    public init(_ call: ClassCall, _ body: @escaping @Sendable (inout Decoder) throws(WireError) -> Reply) {
        self.call = call
        self.body = body
    }

    /// Decodes the method's reply; bytes that newer releases append are ignored.
    public func decode(_ reply: [UInt8]) throws(WireError) -> Reply {
        var decoder = Decoder(reply)
        do throws(WireError) { return try body(&decoder) } catch {
            throw error.context.isEmpty ? WireError(error.reason, at: error.offset, in: call.method) : error
        }
    }
}
