internal import Foundation

/// What people should read, as opposed to what programs should.
package enum StandardError {
    /// Writes a line.
    package static func write(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
