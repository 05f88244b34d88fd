internal import Foundation

/// Standard error: messages for people rather than for programs.
package enum StandardError {
    /// Writes a line.
    package static func write(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
