/// A password or passphrase, or the place that holds it. Descriptions and mirrors hide it.
///
/// The client reads it for each connection: a changed file takes effect on the next one.
public struct Secret: Sendable, Hashable {
    private enum Source: Sendable, Hashable {
        case value(String)
        case file(String)
        case environment(String)
        case credential(String)
    }

    /// The largest password in CONNECT, in bytes (MQTT 5, section 1.5.6): a larger file holds no password.
    private static let limit = 65_535

    private let source: Source

    /// The secret itself. It stays in memory as long as this value: prefer the other sources.
    public static func value(_ text: String) -> Secret { Secret(source: .value(text)) }

    /// The content of a file, without a trailing line break.
    public static func file(_ path: String) -> Secret { Secret(source: .file(path)) }

    /// The value of an environment variable.
    public static func environment(_ name: String) -> Secret { Secret(source: .environment(name)) }

    /// A systemd credential (`LoadCredential=`), by name.
    public static func credential(_ name: String) -> Secret { Secret(source: .credential(name)) }

    /// Reads the secret.
    ///
    /// - Throws: ``ClientError`` with code ``ClientError/Code/secret``; the error names the place and never the
    ///   content.
    func load() throws(ClientError) -> String {
        switch source {
        case .value(let text):
            return text
        case .environment(let name):
            guard let text = Environment.value(of: name) else {
                throw failure("the environment variable \(name) is not set")
            }
            guard !text.isEmpty else { throw failure("the environment variable \(name) is empty") }
            return text
        case .credential(let name):
            guard let folder = Environment.value(of: "CREDENTIALS_DIRECTORY") else {
                throw failure("not started by systemd with LoadCredential=\(name)")
            }
            return try read("\(folder)/\(name)")
        case .file(let path):
            return try read(path)
        }
    }

    private func read(_ path: String) throws(ClientError) -> String {
        let bytes: [UInt8]
        do {
            bytes = try Files.read(path, limit: Self.limit)
        } catch {
            throw failure("\(path): \(error.text)")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else { throw failure("\(path) is not UTF-8 text") }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        guard !text.isEmpty else { throw failure("\(path) is empty") }
        guard !text.utf8.contains(0) else { throw failure("\(path) holds the NUL character") }
        return text
    }

    private func failure(_ detail: String) -> ClientError {
        ClientError(.secret, operation: "read password", detail: detail)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A placeholder.
    public var description: String { "<secret>" }
    /// A placeholder.
    public var debugDescription: String { description }
    /// No children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
