import Foundation
import Synchronization
import Testing

@testable import AdminSocket

@Suite struct HostileClientTests {
    private let versionReply = "{\n    \"version\": \"16.2.15\",\n    \"release\": \"pacific\",\n    \"release_type\": \"stable\"\n}\n"

    @Test func plainAndOldRequests() async throws {
        try await withServer { [versionReply] _, path in
            try await #expect(ask(path, "version") == versionReply)
            try await #expect(ask(path, #"{"prefix":"version"}"#) == versionReply)
            try await #expect(ask(path, #"{"prefix":"0"}"#) == "2")
            try await #expect(text(ofFrame: exchange(path, [0, 0, 0, 0])) == "2")
            try await #expect(text(ofFrame: exchange(path, Array("version\n".utf8))) == versionReply)
        }
    }

    @Test func halfClosedClientGetsItsReply() async throws {
        try await withServer { [versionReply] _, path in
            let reply = try await exchange(path, Array("version\0".utf8), halfClose: true)
            #expect(text(ofFrame: reply) == versionReply)
        }
    }

    @Test func trailingBytesDoNotSpoilTheReply() async throws {
        try await withServer { [versionReply] _, path in
            let reply = try await exchange(path, Array("version\0version\0".utf8))
            #expect(text(ofFrame: reply) == versionReply)
        }
    }

    @Test func requestWithoutEndIsDroppedWhenTheClientStops() async throws {
        try await withServer { _, path in
            try await #expect(exchange(path, Array("version".utf8), halfClose: true) == [])
            try await #expect(exchange(path, [], halfClose: true) == [])
            try await #expect(exchange(path, [0, 0], halfClose: true) == [])
        }
    }

    @Test func oversizedRequestIsDropped() async throws {
        try await withServer { [versionReply] _, path in
            let huge = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
            try await #expect(exchange(path, huge) == [])
            try await #expect(ask(path, "version") == versionReply)
        }
    }

    @Test func largestRequestIsServed() async throws {
        let echo = AdminCommand("echo", parameters: [AdminParameter("x")], help: "") { .text($0.string("x")) }
        try await withServer(commands: [echo]) { _, path in
            let head = #"{"prefix":"echo","x":""#
            let filler = String(repeating: "x", count: (64 << 10) - head.utf8.count - 2)
            try await #expect(ask(path, head + filler + "\"}") == filler)
        }
    }

    @Test func largeReplyArrivesWhole() async throws {
        let big = String(repeating: "0123456789", count: 1 << 19)
        try await withServer(commands: [AdminCommand("big", help: "") { _ in .text(big) }]) { _, path in
            try await #expect(ask(path, "big") == big)
        }
    }

    @Test func silentClientIsDroppedAtItsDeadline() async throws {
        var limits = AdminSocketLimits()
        limits.transfer = .milliseconds(100)
        try await withServer(limits: limits) { _, path in
            let start = ContinuousClock.now
            try await #expect(exchange(path, Array("vers".utf8)) == [])
            #expect(ContinuousClock.now - start >= .milliseconds(100))
        }
    }

    @Test func clientThatNeverReadsIsDropped() async throws {
        var limits = AdminSocketLimits()
        limits.transfer = .milliseconds(100)
        limits.connections = 1
        let big = String(repeating: "0123456789", count: 1 << 19)
        try await withServer(limits: limits, commands: [AdminCommand("big", help: "") { _ in .text(big) }]) { _, path in
            let idle = try RawClient(path)
            idle.write(Array("big\0".utf8))
            try await #expect(ask(path, #"{"prefix":"0"}"#) == "2", "the only place is free again")
            withExtendedLifetime(idle) {}
        }
    }

    @Test func moreClientsThanPlacesAreAllServed() async throws {
        var limits = AdminSocketLimits()
        limits.connections = 2
        try await withServer(limits: limits) { _, path in
            try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<12 { group.addTask { try await ask(path, #"{"prefix":"0"}"#) } }
                for try await reply in group { #expect(reply == "2") }
            }
        }
    }

    @Test func crowdOfSilentClientsDelaysButDoesNotStop() async throws {
        var limits = AdminSocketLimits()
        limits.transfer = .milliseconds(200)
        limits.connections = 4
        try await withServer(limits: limits) { _, path in
            let crowd = try (0..<12).map { _ in try RawClient(path) }
            try await #expect(ask(path, #"{"prefix":"0"}"#) == "2")
            withExtendedLifetime(crowd) {}
        }
    }

    @Test func slowCommandIsCancelledAndSaidSo() async throws {
        var limits = AdminSocketLimits()
        limits.command = .milliseconds(100)
        let cancelled = Flag()
        let slow = AdminCommand("slow", help: "") { _ in
            do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.raise() }
            return .text("too late")
        }
        try await withServer(limits: limits, commands: [slow]) { _, path in
            let reply = try await ask(path, "slow")
            #expect(reply == "ERROR: (110) Connection timed out\nthe command did not finish within its deadline\n")
            try await #expect(eventually { cancelled.isRaised })
        }
    }

    @Test func commandOfAClientThatLeftIsCancelled() async throws {
        let started = Flag()
        let cancelled = Flag()
        let slow = AdminCommand("slow", help: "") { _ in
            started.raise()
            do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.raise() }
            return .done
        }
        try await withServer(commands: [slow]) { _, path in
            do {
                let client = try RawClient(path)
                client.write(Array("slow\0".utf8))
                try await #expect(eventually { started.isRaised })
                withExtendedLifetime(client) {}
            }
            try await #expect(eventually { cancelled.isRaised })
        }
    }

    @Test func slowCommandDoesNotHoldUpOthers() async throws {
        let release = Flag()
        let slow = AdminCommand("slow", help: "") { _ in
            _ = try? await eventually { release.isRaised }
            return .text("slow")
        }
        try await withServer(commands: [slow]) { _, path in
            async let first = ask(path, "slow")
            try await #expect(ask(path, #"{"prefix":"0"}"#) == "2")
            release.raise()
            try await #expect(first == "slow")
        }
    }

    @Test func stoppingWithClientsConnectedClosesThem() async throws {
        let folder = try ScratchFolder()
        let server = AdminSocketServer(version: sampleVersion)
        try server.open(at: folder["a"])
        let running = Task { try await server.run() }
        let client = try RawClient(folder["a"])
        client.write(Array("vers".utf8))
        running.cancel()
        try await running.value
        try await #expect(onThread { try client.readAll() } == [])
    }

    @Test func randomBytesNeverHurt() async throws {
        try await withServer { _, path in
            for seed in 0..<200 {
                var random = SplitMix(seed: UInt64(seed))
                let seeds = [#"{"prefix":"version","format":"json"}"#, "config get x", "", #"{"prefix":["a"],"var":{"b":1e999}}"#]
                var bytes = Array(seeds[seed % seeds.count].utf8)
                for _ in 0..<8 {
                    let at = Int(random.next() % UInt64(bytes.count + 1))
                    bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
                }
                let reply = try await exchange(path, bytes + [0, 0, 0, 0], halfClose: true)
                #expect(text(ofFrame: reply) != nil, "seed \(seed)")
            }
            try await #expect(ask(path, #"{"prefix":"0"}"#) == "2")
        }
    }
}

final class Flag: Sendable {
    private let value = Mutex(false)
    var isRaised: Bool { value.withLock { $0 } }
    func raise() { value.withLock { $0 = true } }
}

struct SplitMix {
    var seed: UInt64

    mutating func next() -> UInt64 {
        seed &+= 0x9e37_79b9_7f4a_7c15
        var z = seed
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
