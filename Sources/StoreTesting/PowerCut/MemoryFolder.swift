internal import Foundation
internal import Glibc

/// A folder in memory, or where temporary files are if there is no such place.
struct MemoryFolder {
    let path: String

    init() throws {
        let place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        var template = Array("\(place)/mqtt-bridge-power-cut-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw StoreTestingError("cannot make a folder in \(place)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// An empty folder in this one; what was made of an earlier one of that name goes, too.
    func make(_ name: String) throws -> String {
        for old in [name, name + ".killed"] { try? FileManager.default.removeItem(atPath: "\(path)/\(old)") }
        guard mkdir("\(path)/\(name)", 0o700) == 0 else { throw StoreTestingError("cannot make \(path)/\(name)") }
        return "\(path)/\(name)"
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
