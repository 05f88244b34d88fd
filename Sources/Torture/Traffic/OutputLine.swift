internal import Foundation

/// A line that the daemon prints with `--format json --receipts`.
struct OutputLine: Decodable {
    var event: String?
    var payload: String?
    var id: String?
    var attempt: Int?
    var receipt: Int?
    var stored: Bool?
    var published: Bool?

    /// Decodes a line; nil if it is no JSON object.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard let line = try? JSONDecoder().decode(OutputLine.self, from: Data(bytes)) else { return nil }
        self = line
    }
}
