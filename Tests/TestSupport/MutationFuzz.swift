import Foundation

/// Feeds damaged encodings to decoders.
///
/// A decoder may return a value or throw; a trap ends the process and so the test. The seed is in
/// the output of every failure, and on standard error before the run begins, for traps.
public struct MutationFuzz: Sendable {
    /// One decoder and encodings it accepts.
    public struct Subject: Sendable {
        public let name: String
        public let samples: [[UInt8]]
        /// Decodes; true when the value survived another round, where there is an encoder.
        let check: @Sendable ([UInt8], _ encodesAgain: Bool) throws -> Bool

        public init(
            _ name: String, _ samples: [[UInt8]], check: @escaping @Sendable ([UInt8], _ encodesAgain: Bool) throws -> Bool
        ) {
            self.name = name
            self.samples = samples
            self.check = check
        }

        /// Whether an undamaged encoding is decoded and survives another round.
        public func accepts(_ bytes: [UInt8]) throws -> Bool { try check(bytes, true) }
    }

    public struct Outcome: Sendable {
        public var accepted = 0
        public var refused = 0
        /// Damaged inputs whose value did not survive encoding and decoding.
        public var unstable: [(name: String, input: [UInt8])] = []
        /// Growth of the process' peak memory, in bytes.
        public var memoryGrowth = 0
    }

    public let subjects: [Subject]
    public init(_ subjects: [Subject]) { self.subjects = subjects }

    /// - Parameter isTyped: Whether an error is one a decoder may throw; others end the run.
    public func run(cases: Int, name: String, isTyped: (any Error) -> Bool) throws -> Outcome {
        FileHandle.standardError.write(Data("\(name): \(SeededRandom.hint)\n".utf8))
        var random = SeededRandom.forRun(name)
        var outcome = Outcome()
        let before = Self.peakMemory
        for index in 0..<cases {
            let subject = subjects[index % subjects.count]
            var bytes = subject.samples[random.below(subject.samples.count)]
            for _ in 0...random.below(3) { Self.damage(&bytes, &random) }
            do {
                let stable = try subject.check(bytes, index & 7 == 0)
                outcome.accepted += 1
                if !stable { outcome.unstable.append((subject.name, bytes)) }
            } catch {
                guard isTyped(error) else { throw error }
                outcome.refused += 1
            }
        }
        outcome.memoryGrowth = Self.peakMemory - before
        return outcome
    }

    /// Damages an encoding in one place.
    public static func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        guard !bytes.isEmpty else {
            bytes.append(UInt8(truncatingIfNeeded: random.next()))
            return
        }
        let place = random.below(bytes.count)
        switch random.below(7) {
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 2: bytes.removeLast(bytes.count - place)
        case 3: bytes.remove(at: place)
        case 4: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        case 5: overwrite(&bytes, place, with: [0xff, 0xff, 0xff, random.oneIn(2) ? 0x7f : 0xff])
        default: overwrite(&bytes, place, with: [UInt8(random.below(256)), UInt8(random.below(3)), 0, 0])
        }
    }

    private static func overwrite(_ bytes: inout [UInt8], _ place: Int, with word: [UInt8]) {
        for (offset, byte) in word.enumerated() where place + offset < bytes.count { bytes[place + offset] = byte }
    }

    /// The process' peak memory, in bytes.
    public static var peakMemory: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Int(usage.ru_maxrss) * 1024
    }
}
