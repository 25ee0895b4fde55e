import CephCore
import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Random lives of images of every kind, compared after every sync.
    @Suite struct HistoryTests {
        static let operations = 200
        static let operationsBetweenPoints = 12
        /// Images that live at the same time.
        static let width = 3

        @Test func everyLifeIsFollowed() async throws {
            try await withScene("lives") { scene in
                try await withHistoryStage(scene) { stage in
                    let daemon = try await scene.startDaemon(on: scene.siteB)
                    try await stage.makeParents()
                    // What takes longest begins first.
                    let numbers = (Knobs.firstHistory..<Knobs.firstHistory + Knobs.histories).sorted { kind(of: $0).takesLong && !kind(of: $1).takesLong }
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for (position, number) in numbers.enumerated() {
                            if position >= Self.width { try await group.next() }
                            group.addTask { try await live(number, on: stage) }
                        }
                        try await group.waitForAll()
                    }
                    try await daemon.terminate()
                }
            }
        }

        private func kind(of life: Int) -> HistoryKind { HistoryKind.all[life % HistoryKind.all.count] }

        private func live(_ number: Int, on stage: HistoryStage) async throws {
            let kind = kind(of: number)
            let random = SeededRandom.forRun("life-\(number)")
            var history = try await stage.begin(kind, "life-\(number)", random)
            do {
                try await live(&history, number, kind, stage)
            } catch {
                throw ToolFailure(
                    tool: "life-\(number), \(kind.name), after \(history.record.count) operations",
                    text: "\(error)\nLast:\n" + history.record.suffix(60).joined(separator: "\n"))
            }
        }

        private func live(_ history: inout ImageHistory, _ life: Int, _ kind: HistoryKind, _ stage: HistoryStage) async throws {
            let began = ContinuousClock.now
            var judge = try await stage.judge(kind)
            for number in 1...Self.operations {
                try await history.step()
                guard number % Self.operationsBetweenPoints == 0 || number == Self.operations else { continue }
                let point = try await history.takeMirrorSnapshot()
                try await judge.waitForSync(history.name, to: point)
                if history.hasOwnMaps { judge.comparesChanges = false }
                try await judge.compare(history.name)
            }
            try await stage.end(kind, history, judge)
            try await stage.remove(kind, history.name)
            print("life-\(life), \(kind.name): \(history.record.count) operations in \(began.duration(to: .now))")
        }
    }
}
