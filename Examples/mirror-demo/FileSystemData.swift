import CephSandbox
import SystemPackage

/// A file with a file system full of real files in it, to be imported as an image.
struct FileSystemData {
    let path: FilePath
    /// What is in it, in words.
    let content: String

    /// Makes an ext4 file system of the largest folder of documents or programs that fits, or an archive where there is no `mke2fs`.
    static func make(in folder: FilePath, mebibytes: Int) async throws -> FileSystemData {
        let path = folder.appending("disk.raw")
        let output = try await SandboxProcess.run(
            "bash", ["-c", script, "bash", path.string, "\(mebibytes)"], timeout: .seconds(120))
        guard output.exit.isSuccess else { throw DemoError("no file system could be made: \(output.errorText)") }
        return FileSystemData(path: path, content: output.text.split(separator: "\n").last.map(String.init) ?? "")
    }

    private static let script = """
        set -euo pipefail
        export PATH=$PATH:/usr/sbin:/sbin
        best= most=0
        for folder in /usr/share/doc /usr/share/ceph /usr/lib/python3 /usr/share/perl /usr/include /usr/share/locale; do
            [ -d "$folder" ] || continue
            size=$(du --summarize --one-file-system --block-size=1M "$folder" | cut -f 1)
            if [ "$size" -gt "$most" ] && [ "$size" -lt $(($2 * 6 / 10)) ]; then best=$folder most=$size; fi
        done
        truncate --size "$2M" "$1"
        if command -v mke2fs >/dev/null; then
            mke2fs -q -F -t ext4 -d "$best" "$1"
            echo "ext4 with the $most MiB of $best"
        else
            tar --create --file - --directory "$best" . | dd of="$1" conv=notrunc status=none
            echo "an archive of the $most MiB of $best"
        fi
        """
}

struct DemoError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
