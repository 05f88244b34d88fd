import Foundation
import TestSupport
import Testing

@Suite("mqtt-bridge torture")
struct TortureCommandTests {
    @Test("it runs mqtt-bridge-torture from its own folder, with its arguments and exit codes")
    func passesOn() async throws {
        let help = try await Command.run("torture", "--help")
        #expect(help.status == .exited(0) && help.stdout.contains("--scenario <name>"), "\(help)")
        let refusal = try await Command.run("torture", "--short", "--scenario", "F0")
        #expect(refusal.status == .exited(64) && refusal.stderr.contains("no scenario \"F0\""), "\(refusal)")
    }

    @Test("without mqtt-bridge-torture it tells how to get it")
    func namesThePackage() async throws {
        let folder = try TemporaryDirectory()
        let program = folder.file("mqtt-bridge")
        try FileManager.default.copyItem(atPath: Command.path, toPath: program)
        let outcome = try await onThread { try Shell.run(program, ["torture", "--short"]) }
        #expect(outcome.status == .exited(69), "\(outcome)")
        #expect(outcome.stderr.contains("swift build --product mqtt-bridge-torture"), "\(outcome)")
    }

    @Test("a seed repeats histories to the letter, and the promise holds in them")
    func histories() async throws {
        var lines: [String] = []
        for _ in 0..<2 {
            let outcome = try await Command.run("torture", "--histories", "5", "--seed", "7", "--format", "json")
            #expect(outcome.status == .exited(0), "\(outcome)")
            lines.append(outcome.stdout.replacing(#/"seconds":[0-9.]+/#, with: ""))
        }
        #expect(lines[0].contains("\"histories\":5") && lines[0].contains("\"ok\":true"), "\(lines)")
        #expect(lines[0] == lines[1])
    }
}
