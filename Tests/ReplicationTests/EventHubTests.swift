import Replication
import Testing

@Suite(.timeLimit(.minutes(1))) struct EventHubTests {
    private func event(_ number: Int) -> ReplicationEvent { ReplicationEvent(.syncFinished, count: number) }

    @Test func everyReaderGetsEveryEvent() async {
        let hub = EventHub()
        let (a, b) = (hub.events(), hub.events())
        for number in 1...5 { hub.publish(event(number)) }
        hub.finish()
        for reader in [a, b] {
            var seen: [Int] = []
            for await event in reader { seen.append(event.count) }
            #expect(seen == [1, 2, 3, 4, 5])
        }
    }

    @Test func aSlowReaderLosesTheOldestAndIsTold() async {
        let hub = EventHub()
        let reader = hub.events(buffer: 3)
        for number in 1...10 { hub.publish(event(number)) }
        hub.finish()
        var seen: [(ReplicationEvent.Kind, Int)] = []
        for await event in reader { seen.append((event.kind, event.count)) }
        #expect(seen.map(\.0) == [.eventsLost, .syncFinished, .syncFinished, .syncFinished])
        #expect(seen.map(\.1) == [7, 8, 9, 10])
    }

    @Test func aWaitingReaderIsWoken() async {
        let hub = EventHub()
        let reader = hub.events()
        async let first = { var i = reader.makeAsyncIterator(); return await i.next()?.count }()
        hub.publish(event(42))
        #expect(await first == 42)
    }

    @Test func cancellingEndsTheWait() async {
        let hub = EventHub()
        let reader = hub.events()
        let task = Task { var i = reader.makeAsyncIterator(); return await i.next() }
        task.cancel()
        #expect(await task.value == nil)
    }

    @Test func aReaderThatIsGoneIsForgotten() async {
        let hub = EventHub()
        do {
            let reader = hub.events()
            #expect(hub.readerCount == 1)
            hub.publish(event(1))
            var iterator = reader.makeAsyncIterator()
            #expect(await iterator.next()?.count == 1)
        }
        #expect(hub.readerCount == 0)
    }

    @Test func aFinishedHubEndsNewReadersAtOnce() async {
        let hub = EventHub()
        hub.finish()
        var iterator = hub.events().makeAsyncIterator()
        #expect(await iterator.next() == nil)
    }

    @Test func publishersAndReadersInParallelLoseNothingSilently() async {
        let hub = EventHub()
        let reader = hub.events(buffer: 8)
        let total = 2000
        let counted = Task {
            var seen = 0
            for await event in reader { seen += event.kind == .eventsLost ? event.count : 1 }
            return seen
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for number in 0..<(total / 4) { hub.publish(ReplicationEvent(.syncStarted, count: number)) } }
            }
        }
        hub.finish()
        #expect(await counted.value == total)
    }
}
