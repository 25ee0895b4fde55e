internal import RBDImage

/// Divides an image into stretches to be looked at one by one, in ascending order.
///
/// A stretch is a whole number of stripe periods, so that its extents lie between those of its neighbours.
struct DeltaStretches: IteratorProtocol, Sequence {
    struct Stretch: Hashable, Sendable {
        /// Stripe periods, by number.
        let periods: Range<UInt64>
        /// Objects to look at, ascending.
        let objects: [UInt64]
    }

    /// Periods without an object to look at in one stretch, at most.
    static let longest: UInt64 = 256

    private let objectsInPeriod: UInt64
    private var objects: Peeking
    /// Periods that count also where no object is to be looked at.
    private let covered: Range<UInt64>
    private var position: UInt64

    /// - Parameters:
    ///   - objects: What is to be looked at, ascending.
    ///   - covered: The part of the image that counts also where no object is to be looked at.
    init(layout: ImageLayout, objects: some Sequence<UInt64>, covered: Range<UInt64>) {
        objectsInPeriod = layout.stripeCount
        self.objects = Peeking(AnyIterator(objects.makeIterator()))
        let period = layout.objectSize * layout.stripeCount
        let end = covered.isEmpty ? 0 : (covered.upperBound - 1) / period + 1
        self.covered = Swift.min(covered.lowerBound / period, end)..<end
        position = self.covered.lowerBound
    }

    mutating func next() -> Stretch? {
        let looked = objects.first.map { $0 / objectsInPeriod }
        if position < covered.upperBound, position < looked ?? .max {
            let end = Swift.min(looked ?? .max, covered.upperBound, position + Self.longest)
            defer { position = end }
            return Stretch(periods: position..<end, objects: [])
        }
        guard let period = looked else { return nil }
        var together: [UInt64] = []
        while let number = objects.first, number / objectsInPeriod == period {
            together.append(number)
            objects.advance()
        }
        position = Swift.max(position, period + 1)
        return Stretch(periods: period..<period + 1, objects: together)
    }

    private struct Peeking {
        private var rest: AnyIterator<UInt64>
        private(set) var first: UInt64?

        init(_ all: AnyIterator<UInt64>) {
            rest = all
            first = rest.next()
        }

        mutating func advance() { first = rest.next() }
    }
}

/// Two ascending runs of object numbers as one, each number once.
struct AscendingUnion: Sequence, IteratorProtocol {
    private var (first, second): (AnyIterator<UInt64>, AnyIterator<UInt64>)
    private var (a, b): (UInt64?, UInt64?)

    init(_ first: some Sequence<UInt64>, _ second: some Sequence<UInt64>) {
        self.first = AnyIterator(first.makeIterator())
        self.second = AnyIterator(second.makeIterator())
        (a, b) = (self.first.next(), self.second.next())
    }

    mutating func next() -> UInt64? {
        guard a != nil || b != nil else { return nil }
        let least = Swift.min(a ?? .max, b ?? .max)
        if a == least { a = first.next() }
        if b == least { b = second.next() }
        return least
    }
}
