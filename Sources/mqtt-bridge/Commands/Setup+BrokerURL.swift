import ArgumentParser
import BridgeDaemon
import MQTTBridge
import Mosquitto

extension Setup {
    /// Replaces the URLs of the broker in `NAME=URL`, or of the only broker if the text is a URL.
    mutating func replaceURL(_ text: String) throws {
        let scheme = text.firstRange(of: "://")?.lowerBound ?? text.endIndex
        if let equals = text[..<scheme].firstIndex(of: "=") {
            try replaceURL([BrokerURL(String(text[text.index(after: equals)...]))], of: String(text[..<equals]))
        } else {
            try replaceURL([BrokerURL(text)], of: nil)
        }
    }

    mutating func replaceURL(_ urls: [BrokerURL], of name: String?) throws {
        let names = brokers.map(\.name).joined(separator: ", ")
        guard let name else {
            guard brokers.count == 1 else {
                throw ValidationError("there are several brokers (\(names)): say which one, as NAME=URL")
            }
            brokers[0].urls = urls
            return
        }
        guard let position = brokers.firstIndex(where: { $0.name == name }) else {
            throw ValidationError("there is no broker \"\(name)\"; the brokers are: \(names)")
        }
        brokers[position].urls = urls
    }
}
