import CephCore

/// What tests wait for, looked at through librbd: a process of the stock tool for each look is what they would spend their time on.
extension Site {
    /// The snapshots of every namespace, by id.
    func snapshots(_ image: String) async throws -> [Image.Snapshot] {
        try await withImage(image) { try await $0.snapshots() }
    }

    func lastMirrorSnapshot(_ image: String) async throws -> Image.Snapshot {
        guard let last = try await snapshots(image).last(where: \.isMirror) else {
            throw ToolFailure(tool: "librbd", text: "\(spec(image)) has no mirror snapshot")
        }
        return last
    }

    func imageID(_ image: String) async throws -> String { try await withImage(image) { try await $0.info().id } }

    /// The names in the pool's directory.
    func images() async throws -> [String] { try await withClient { try await $0.images().map(\.name).sorted() } }
}

extension Image.Snapshot {
    var isMirror: Bool { mirror != nil }
    /// Whether it is being removed.
    var isTrash: Bool { if case .trash = kind { true } else { false } }
    /// Whether it stands for a mirror snapshot of the other site.
    var isCopy: Bool { mirror?.state == .nonPrimary || mirror?.state == .nonPrimaryDemoted }
    var isComplete: Bool { mirror?.isComplete ?? false }
    /// Whether a part of it was copied.
    var isUnderWay: Bool { isCopy && !isComplete && (mirror?.lastCopiedObject ?? 0) > 0 }
    /// Of the mirror snapshot that it stands for.
    var primaryID: UInt64? { isCopy ? mirror?.primarySnapshotID : nil }
}
