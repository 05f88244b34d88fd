import Foundation

/// Files of this repository, found from where this one is.
enum Repository {
    static let root = String(#filePath.split(separator: "/Tests/MQTTBridgeConfigurationTests/")[0])

    static func path(_ name: String) -> String { "\(root)/\(name)" }

    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }
}
