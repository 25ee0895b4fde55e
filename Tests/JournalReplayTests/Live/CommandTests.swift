import CephSandbox
import Foundation
import JournalReplay
import Testing

/// `cephmirror journal`, beside what the stock `rbd journal` says.
@Suite(.serialized, .timeLimit(.minutes(10))) struct CommandTests {
    @Test func looks() async throws {
        let image = try await JournaledImage("looks")
        try await image.live(0)
        #expect(try await object("info", image) == stockObject("info", image))
        let (ours, stock) = (try await object("status", image), try await stockObject("status", image))
        #expect(ours["minimum_set"] as? Int == stock["minimum_set"] as? Int && ours["active_set"] as? Int == stock["active_set"] as? Int)
        #expect((ours["registered_clients"] as? [NSDictionary])?.compactMap { $0["id"] as? String } == ["", JournaledImage.reader])

        let lines = try await image.command("tail", "--all", "--once", "--json").text.split(separator: "\n")
        #expect(lines.count == (try await image.exported().count))
        let inspection = try await object("inspect", image)
        #expect(inspection["entries"] as? Int == lines.count && inspection["damages"] as? Int == 0)
    }

    /// Stock takes what ours writes, and ours what either has written.
    @Test func copies() async throws {
        let source = try await JournaledImage("copied")
        try await source.write { handle in
            for step in 0..<10 { try await handle.write([UInt8](repeating: UInt8(1 + step), count: 3000), at: UInt64(step) << 20) }
            try await handle.flush()
        }
        let text = try await source.command("export", "-").standardOutput
        #expect(text == Array((try await source.exportedText()).prefix(text.count)))
        let target = try await JournaledImage("target")
        let lines = try await source.command("export", "--json-lines", "-").standardOutput
        _ = try await target.command("import", "-", input: lines)
        try await target.write { try await $0.setMetadata("applied", to: "yes") }
        #expect(try await target.checksum() == source.checksum())
    }

    @Test func exitCodes() async throws {
        let image = try await JournaledImage("codes")
        try await image.live(0)
        let cluster = try await Live.sandbox()
        func code(_ arguments: String..., input: String = "") async throws -> (Int32?, String) {
            let result = try await cluster.cephMirror(["journal"] + arguments, input: Array(input.utf8))
            return (result.exit.status, result.errorText)
        }
        #expect(try await code("info", "images/none").0 == 2)
        #expect(try await code("info", "none/\(image.name)").0 == 2)
        #expect(try await code("info", "images").0 == 64)
        try await cluster.rbd(["create", "images/plain", "--size", "1M", "--image-feature", "layering"])
        let (plain, text) = try await code("info", "images/plain")
        #expect(plain == 2 && text.contains("has no journal"))
        #expect(try await code("disconnect", "--client-id", "nobody", "images/\(image.name)").0 == 2)
        // A client would lose what it has not read.
        #expect(try await code("reset", "images/\(image.name)").0 == 22)
        let (bad, why) = try await code("import", "images/\(image.name)", "-", input: "12x{}\n")
        #expect(bad == 22, "\(why)")

        let object = image.journal.dataObject(0)
        try await cluster.run("rados", ["-p", "images", "put", object, "-"], input: "this is no journal, whatever it says")
        #expect(try await code("inspect", "images/\(image.name)").0 == 74)
        #expect(try await code("tail", "--all", "--once", "images/\(image.name)").0 == 74)
    }

    /// As a shell would offer them: after a word, and the options of a verb.
    @Test func completes() async throws {
        let program = try SandboxProcess.sibling("cephmirror").string
        func offered(_ words: [String]) async throws -> Set<String> {
            let script = """
                source <("$0" --generate-completion-script bash)
                COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=$((${#COMP_LINE}))
                _cephmirror cephmirror "${@: -1}" "${@: -2:1}"
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            let output = try await SandboxProcess.run("bash", ["-c", script, program] + words)
            #expect(output.exit.isSuccess && output.errorText.isEmpty, "\(output.errorText)")
            return Set(String(decoding: output.standardOutput, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init))
        }
        let verbs: Set = ["info", "status", "inspect", "export", "import", "reset", "disconnect", "tail", "archive", "restore"]
        #expect(try await offered(["cephmirror", "journal", ""]).isSuperset(of: verbs))
        #expect(try await offered(["cephmirror", "journal", "in"]) == ["info", "inspect"])
        #expect(try await offered(["cephmirror", "journal", "reset", "--f"]) == ["--force"])
        for shell in ["zsh", "fish"] {
            let output = try await SandboxProcess.run(program, ["--generate-completion-script", shell])
            let text = String(decoding: output.standardOutput, as: UTF8.self)
            #expect(output.exit.isSuccess && verbs.allSatisfy { text.contains($0) })
        }
    }

    private func object(_ verb: String, _ image: JournaledImage) async throws -> NSDictionary {
        try decode(try await image.command(verb, "--json").standardOutput)
    }

    private func stockObject(_ verb: String, _ image: JournaledImage) async throws -> NSDictionary {
        let output = try await Live.sandbox().output("rbd", ["journal", verb, "--image", image.name, "--pool", "images", "--format", "json"])
        return try decode(output.standardOutput)
    }

    private func decode(_ bytes: [UInt8]) throws -> NSDictionary {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? NSDictionary)
    }
}

extension JournaledImage {
    /// Runs a verb of `cephmirror journal` on the image; its other arguments follow the image.
    fileprivate func command(_ verb: String, _ arguments: String..., input: [UInt8] = []) async throws -> SandboxOutput {
        let options = arguments.filter { $0.hasPrefix("--") }
        let values = arguments.filter { !$0.hasPrefix("--") }
        let output = try await Live.sandbox().cephMirror(["journal", verb] + options + ["images/\(name)"] + values, input: input)
        guard output.exit.isSuccess else { throw StockError(text: "cephmirror journal \(verb): \(output.errorText)") }
        return output
    }
}

extension SandboxCluster {
    fileprivate func cephMirror(_ arguments: [String], input: [UInt8] = []) async throws -> SandboxOutput {
        try await SandboxProcess.run(
            SandboxProcess.sibling("cephmirror").string, arguments + ["-c", configurationFile.string], input: input)
    }
}
