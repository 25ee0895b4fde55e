import ArgumentParser

struct JournalCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Reads, copies, archives and mends the journals of RBD images.",
        subcommands: [
            InfoCommand.self, StatusCommand.self, InspectCommand.self, ExportCommand.self, ImportCommand.self, ResetCommand.self,
            DisconnectCommand.self, TailCommand.self, ArchiveCommand.self, RestoreCommand.self,
        ])
}
