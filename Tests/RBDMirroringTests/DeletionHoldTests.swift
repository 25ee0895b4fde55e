import RBDMirroring
import Testing

@Suite struct DeletionHoldTests {
    private func ids(_ range: Range<Int>) -> Set<String> { Set(range.map { "g\($0)" }) }

    @Test(arguments: [
        (lost: 1, replicas: 1, isHeld: false), (lost: 10, replicas: 10, isHeld: false), (lost: 11, replicas: 11, isHeld: true),
        (lost: 10, replicas: 1000, isHeld: false), (lost: 11, replicas: 20, isHeld: true), (lost: 11, replicas: 21, isHeld: true),
        (lost: 11, replicas: 22, isHeld: false), (lost: 12, replicas: 25, isHeld: false), (lost: 13, replicas: 25, isHeld: true),
        (lost: 50, replicas: 100, isHeld: false), (lost: 51, replicas: 100, isHeld: true), (lost: 0, replicas: 0, isHeld: false),
    ])
    func manyAtOnceAreHeld(lost: Int, replicas: Int, isHeld: Bool) {
        var hold = DeletionHold()
        hold.saw(lost: ids(0..<lost), replicas: replicas)
        for id in ids(0..<lost) { #expect(hold.held[id] == (isHeld ? lost : nil)) }
        #expect(hold.held["another"] == nil)
    }

    @Test func whatIsHeldStaysHeldWhenFewerAreLeft() {
        var hold = DeletionHold()
        hold.saw(lost: ids(0..<15), replicas: 15)
        hold.saw(lost: ids(0..<3), replicas: 3)
        #expect(hold.held["g0"] == 15)
        #expect(hold.held["g14"] == 15)
    }

    @Test func whatIsDecidedIsForgotten() {
        var hold = DeletionHold()
        hold.saw(lost: ids(0..<15), replicas: 15)
        hold.release(ids(0..<14))
        hold.saw(lost: ["g0"], replicas: 15)
        #expect(hold.held["g0"] == nil)
        #expect(hold.held["g14"] == 15)
    }
}
