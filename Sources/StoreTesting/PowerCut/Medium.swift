/// The durable contents of a medium and its pending changes, after some events of a record.
struct Medium: Sendable {
    /// A change of a file that may or may not be on the medium.
    enum Change: Sendable {
        case written(offset: Int, [UInt8])
        case truncated(length: Int)
    }

    struct File: Sendable {
        var kept: [UInt8] = []
        var pending: [Change] = []
    }

    enum Entry: Sendable {
        case file(Int)
        case folder
    }

    /// A change of the names of one folder that may or may not be on the medium.
    enum NameChange: Sendable {
        case added(String, Entry)
        case renamed(String, to: String)
        case removed(String)
    }

    struct Folder: Sendable {
        var kept: [String: Entry] = [:]
        var pending: [NameChange] = []
        /// All names, as a running system sees them.
        var current: [String: Entry] = [:]
    }

    private(set) var files: [Int: File] = [:]
    /// By path; the uppermost one, which is always there, is "".
    private(set) var folders: [String: Folder] = ["": Folder()]
    /// The logs of stores, by their names.
    private var logs: Set<Int> = []
    private var databases: Set<Int> = []

    /// The last step that has begun.
    private(set) var begun = 0
    /// The last step whose outcome must be durable: it has returned, and a power cut may not undo it.
    private(set) var answered = 0
    /// The last step that returned before the log was synced.
    private(set) var logged = 0
    private var returned = 0

    /// Whether changes of the database itself are pending, which only happens while the log is written back.
    var isWritingBack: Bool { databases.contains { !(files[$0]?.pending.isEmpty ?? true) } }
    /// Whether any change is pending.
    var isPending: Bool {
        files.values.contains { !$0.pending.isEmpty } || folders.values.contains { !$0.pending.isEmpty }
    }

    mutating func apply(_ event: MediumEvent) {
        switch event {
        case .folderMade(let path):
            folders[path] = Folder()
            change(folder(of: path), .added(lastName(of: path), .folder))
        case .created(let file, let path):
            files[file] = File()
            change(folder(of: path), .added(lastName(of: path), .file(file)))
        case .written(let file, let offset, let bytes):
            files[file]?.pending.append(.written(offset: offset, bytes))
        case .truncated(let file, let length):
            files[file]?.pending.append(.truncated(length: length))
        case .synchronized(let file):
            files[file]?.synchronize()
            if logs.contains(file) { logged = returned }
        case .linked(let path, let newPath):
            guard let entry = folders[folder(of: path)]?.current[lastName(of: path)] else { return }
            change(folder(of: newPath), .added(lastName(of: newPath), entry))
        case .renamed(let path, let newPath):
            change(folder(of: path), .renamed(lastName(of: path), to: lastName(of: newPath)))
        case .removed(let path):
            change(folder(of: path), .removed(lastName(of: path)))
        case .folderSynchronized(let path):
            folders[path]?.synchronize()
        case .began(let step):
            begun = step
        case .returned(let step, let maySlip):
            returned = step
            if !maySlip { answered = step }
        }
    }

    private mutating func change(_ path: String, _ change: NameChange) {
        folders[path]?.pending.append(change)
        folders[path]?.current.apply(change)
        func note(_ name: String, _ entry: Entry?) {
            guard case .file(let file) = entry else { return }
            if name.hasSuffix("-wal") { logs.insert(file) } else { databases.insert(file) }
        }
        switch change {
        case .added(let name, let entry): note(name, entry)
        case .renamed(_, let name): note(name, folders[path]?.current[name])
        case .removed: break
        }
    }
}

extension Medium.File {
    fileprivate mutating func synchronize() {
        for change in pending {
            switch change {
            case .written(let offset, let bytes):
                setLength(atLeast: offset + bytes.count)
                kept.withUnsafeMutableBytes { kept in
                    bytes.withUnsafeBytes {
                        UnsafeMutableRawBufferPointer(rebasing: kept[offset...]).copyMemory(from: $0)
                    }
                }
            case .truncated(let length):
                if length < kept.count { kept.removeLast(kept.count - length) } else { setLength(atLeast: length) }
            }
        }
        pending = []
    }

    private mutating func setLength(atLeast length: Int) {
        if kept.count < length { kept += [UInt8](repeating: 0, count: length - kept.count) }
    }
}

extension Medium.Folder {
    fileprivate mutating func synchronize() {
        for change in pending { kept.apply(change) }
        pending = []
    }
}

extension [String: Medium.Entry] {
    /// Applies a change. Does nothing if its file is missing because another change is missing.
    mutating func apply(_ change: Medium.NameChange) {
        switch change {
        case .added(let name, let entry): self[name] = entry
        case .renamed(let name, let newName):
            if let entry = removeValue(forKey: name) { self[newName] = entry }
        case .removed(let name): self[name] = nil
        }
    }
}
