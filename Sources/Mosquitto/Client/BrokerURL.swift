/// The address of a broker: `mqtt://host[:1883]`, `mqtts://host[:8883]` or `unix:///path/to/socket`.
///
/// The URL may name a user: `mqtt://user@host`. ``init(_:)`` refuses a password in the URL, which would appear in
/// process lists and logs.
public struct BrokerURL: Sendable, Hashable {
    /// The transport below MQTT.
    public enum Transport: Sendable, Hashable {
        /// TCP without encryption.
        case tcp
        /// TLS over TCP.
        case tls
        /// A Unix domain socket.
        case unix
    }

    /// The transport below MQTT.
    public let transport: Transport
    /// The host name or address, without brackets; the path of a Unix domain socket.
    public let host: String
    /// The TCP port; 0 for a Unix domain socket.
    public let port: UInt16
    /// The user name in the URL; nil if there is none.
    public let user: String?

    /// Parses a URL. The schemes `tcp`, `ssl` and `tls` are synonyms.
    ///
    /// - Throws: ``ClientError`` with code ``ClientError/Code/invalidURL``; the error names the expected form.
    public init(_ text: String) throws(ClientError) {
        func failure(_ detail: String) -> ClientError {
            // Omits the text, which may hold a password.
            ClientError(
                .invalidURL,
                operation: "read broker URL",
                detail: detail,
                advice: "Write mqtt://HOST[:PORT], mqtts://HOST[:PORT] or unix:///PATH"
            )
        }
        guard let colon = text.firstRange(of: "://") else { throw failure("no scheme") }
        var rest = text[colon.upperBound...]
        var isSecure = false
        var user: String?
        switch text[..<colon.lowerBound].lowercased() {
        case "unix":
            guard rest.hasPrefix("/"), rest.utf8.count <= 107 else {
                throw failure("the path of a socket is absolute and at most 107 bytes long")
            }
            self.init(transport: .unix, host: String(rest), port: 0, user: nil)
            return
        case "mqtt", "tcp": break
        case "mqtts", "ssl", "tls": isSecure = true
        case "ws", "wss": throw failure("libmosquitto does not speak WebSocket")
        default: throw failure("unknown scheme")
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        if let at = rest.lastIndex(of: "@") {
            let name = rest[..<at]
            guard !name.utf8.contains(UInt8(ascii: ":")) else {
                throw failure("a password does not belong in a URL; give password: {file: PATH} instead")
            }
            user = name.isEmpty ? nil : String(name)
            rest = rest[rest.index(after: at)...]
        }
        guard let (host, port) = Self.split(rest, defaultPort: isSecure ? 8883 : 1883) else {
            throw failure("host or port is missing or wrong")
        }
        self.init(transport: isSecure ? .tls : .tcp, host: host, port: port, user: user)
    }

    private init(transport: Transport, host: String, port: UInt16, user: String?) {
        (self.transport, self.host, self.port, self.user) = (transport, host, port, user)
    }

    private static func split(_ text: Substring, defaultPort: UInt16) -> (host: String, port: UInt16)? {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        let isSound = host.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"/?#@".utf8.contains($0) }
        guard !host.isEmpty, isSound else { return nil }
        guard let port else { return (String(host), defaultPort) }
        guard port.utf8.first != UInt8(ascii: "+"), let number = UInt16(port), number > 0 else { return nil }
        return (String(host), number)
    }

    /// Whether the URL names this machine: a Unix domain socket, `localhost` or a loopback address.
    public var isLocal: Bool {
        let isLoopback = host.hasPrefix("127.") && host.utf8.allSatisfy { $0 <= UInt8(ascii: "9") }
        return transport == .unix || host.lowercased() == "localhost" || host == "::1" || isLoopback
    }
}

extension BrokerURL: CustomStringConvertible {
    /// The URL, with control characters escaped. Holds no secret.
    public var description: String {
        let scheme =
            switch transport {
            case .unix: "unix"
            case .tcp: "mqtt"
            case .tls: "mqtts"
            }
        if transport == .unix { return "\(scheme)://\(escapedForLog(host))" }
        let shownHost = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(user.map { "\(escapedForLog($0))@" } ?? "")\(escapedForLog(shownHost)):\(port)"
    }
}
