public import CephCore
internal import RBDImage

/// What an import did, and what it did not.
public struct JournalImportReport: Hashable, Sendable {
    /// Entries that are in the journal now: they are applied when the image is next opened for writing.
    public var imported = JournalToolProgress(entries: 0, bytes: 0)
    /// The tags that were made for them: one for each tag of the file, in its order.
    public var tags: [UInt64] = []
    /// Records that were passed over.
    public var refused: [Refusal] = []

    /// A record of the file that is not in the journal.
    public struct Refusal: Hashable, Sendable, CustomStringConvertible {
        /// Counts the records of the file, from 1.
        public var record: Int
        public var reason: String

        public var description: String { "record \(record): \(reason)" }
    }
}

/// Why a journal cannot be written to.
public struct JournalToolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An open set: keep a default branch.
    public struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// Somebody has the image open.
        public static let imageInUse = Code("imageInUse")
        /// Entries are there that the image has yet to apply.
        public static let notApplied = Code("notApplied")
        /// The file is none of this kind, or ends early.
        public static let badFile = Code("badFile")
    }

    public let code: Code
    /// What is wrong, and the way out.
    public let description: String

    init(_ code: Code, _ description: String) { (self.code, self.description) = (code, description) }
}

extension Journal {
    /// Adds entries of a file of `rbd journal export`, in tags of their own: they are applied when the image is next opened for writing.
    ///
    /// Stock's own import keeps the file's tags, numbers entries from 0 again, and succeeds with what it could not read. This one
    /// refuses an image that is in use, or that has yet to apply entries of its own.
    /// - Parameter progress: Called now and then, on no thread in particular.
    /// - Returns: What was done; look at what was refused.
    /// - Throws: ``JournalToolError``; what was imported before a file turned out to be bad stays.
    public func importEntries(
        from input: some ByteInput, progress: (@Sendable (JournalToolProgress) -> Void)? = nil
    ) async throws -> JournalImportReport {
        try await refuseIfInUse()
        var report = JournalImportReport()
        let appender = try await JournalAppender(self)
        var parser = JournalFileParser()
        let buffer = IOBuffer(capacity: 1 << 20)
        var records = 0
        var tag: UInt64?
        read: while true {
            switch parser.next() {
            case .needsMore:
                let count = try await input.read(into: buffer, 0..<buffer.capacity)
                if count == 0 { break read }
                parser.add(buffer.withBytes { Array($0[..<count]) })
            case .damaged(let offset):
                throw JournalToolError(.badFile, "byte \(offset) begins no record; \(records) records before it were read")
            case .badRecord(let offset):
                records += 1
                report.refused.append(.init(record: records, reason: "the object at byte \(offset) is no journal entry"))
            case .record(let record):
                records += 1
                do throws(JournalImportRefusal) { try appender.check(record) } catch {
                    report.refused.append(.init(record: records, reason: error.reason))
                    continue
                }
                if tag != record.tag { report.tags.append(try await appender.beginTag()) }
                tag = record.tag
                try await appender.append(record.payload)
                report.imported.entries += 1
                report.imported.bytes += UInt64(record.payload.count)
                if report.imported.entries % 1000 == 0 { progress?(report.imported) }
            }
        }
        guard parser.isAtEnd else { throw JournalToolError(.badFile, "the file ends in the middle of record \(records + 1)") }
        try await appender.flush()
        progress?(report.imported)
        return report
    }
}
