internal import Foundation
internal import Glibc

/// A folder in memory, or in the temporary folder if there is no `/dev/shm`.
struct MemoryFolder {
    let path: String

    init() throws {
        let place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        var template = Array("\(place)/mqtt-bridge-power-cut-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw StoreTestingError("cannot make a folder in \(place)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Makes an empty subfolder. Removes an earlier one of that name and the copy of a killed process.
    func make(_ name: String) throws -> String {
        for old in [name, name + ".killed"] { try? FileManager.default.removeItem(atPath: "\(path)/\(old)") }
        guard mkdir("\(path)/\(name)", 0o700) == 0 else { throw StoreTestingError("cannot make \(path)/\(name)") }
        return "\(path)/\(name)"
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
