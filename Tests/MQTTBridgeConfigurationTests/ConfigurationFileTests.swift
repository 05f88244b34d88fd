import Foundation
import TestSupport
import Testing

@testable import MQTTBridgeConfiguration

@Suite("ConfigurationFile")
struct ConfigurationFileTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func problems(at path: String) -> [ConfigurationProblem] {
        do throws(ConfigurationProblems) {
            _ = try BridgeConfiguration(contentsOf: path, environment: [:])
            return []
        } catch {
            return error.problems
        }
    }

    @Test("a file that is not there is a problem of the file as a whole")
    func missing() {
        let path = folder.file("none.yaml")
        #expect(
            problems(at: path).map(\.description) == [
                "\(path): error: cannot read the file: No such file or directory. Check the path and its permissions"
            ]
        )
    }

    @Test("what is no file, or has no name, is a problem too", arguments: ["/", "", "/dev/null/x", "a\0b"])
    func notAFile(path: String) {
        let found = problems(at: path)
        #expect(found.map(\.place) == [[0, 0]])
        #expect(found.first?.description.contains("error: cannot read the file: ") == true)
        #expect(found.first?.description.contains("\0") == false)
    }

    @Test("a file may have 1 MiB, and not a byte more")
    func size() throws {
        let start = "brokers: {home: {url: mqtt://localhost}}\n#"
        let largest = start + String(repeating: "x", count: ConfigurationFile.limit - start.utf8.count)
        #expect(problems(at: try folder.write(largest, to: "a.yaml")).isEmpty)
        let found = problems(at: try folder.write(largest + "x", to: "b.yaml"))
        #expect(found.map(\.message) == ["the file is larger than 1 MiB"])
        #expect(problems(at: "/dev/zero").map(\.message) == ["the file is larger than 1 MiB"])
    }

    @Test("the first byte that is no UTF-8 is found")
    func encoding() throws {
        var bytes = Data("a: é\nbé: ".utf8)
        bytes.append(contentsOf: [0xFF, 0x20, 0xC3])
        let path = folder.file("latin.yaml")
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(problems(at: path).map(\.place) == [[2, 5]])
        try Data([0xC3]).write(to: URL(fileURLWithPath: path))
        #expect(problems(at: path).map(\.place) == [[1, 1]])
    }

    @Test("relative paths begin at the folder of the file, wherever the process is")
    func relativePaths() throws {
        try folder.write("x", to: "password")
        let text = "brokers: {h: {url: mqtt://h, username: u, password: {file: password}}}"
        #expect(problems(at: try folder.write(text, to: "bridge.yaml")).isEmpty)
        let other = text.replacing("file: password", with: "file: ~/password")
        #expect(problems(at: try folder.write(other, to: "bridge.yaml")).count == 1)
    }

    @Test("the environment of the process serves variables, if none is given")
    func environment() throws {
        let text = "brokers: {h: {url: mqtt://h, client_id: \"${PATH}\"}}"
        let configuration = try BridgeConfiguration(contentsOf: try folder.write(text, to: "bridge.yaml"))
        #expect(configuration.brokers.count == 1)
    }
}
