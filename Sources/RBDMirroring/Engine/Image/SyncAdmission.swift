/// Asks for leave to copy: the leader lets only so many syncs run at once.
protocol SyncAdmission: Sendable {
    func request(_ imageID: String) async throws -> any SyncAdmissionPermit
}

/// Leave to copy, given back with ``finish()``.
protocol SyncAdmissionPermit: Sendable {
    func finish() async
}
