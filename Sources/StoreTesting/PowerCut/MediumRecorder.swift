internal import CRecordingVFS
internal import Foundation
internal import Glibc
internal import Locking
internal import SQLiteStore

/// Records the changes that SQLite and the store make to files below one folder.
///
/// Use one recorder per folder, and keep files open only between its creation and ``end()``.
final class MediumRecorder: FileCalls {
    /// The folder, with symbolic links resolved.
    let root: String
    private let fault: PlantedFault?
    private let state = Locked(State())
    private let system = SystemFileCalls()

    fileprivate struct State: Sendable {
        var events: [MediumEvent] = []
        /// The numbers of the files, by their current paths.
        var files: [String: Int] = [:]
        var paths: [String] = []
        var descriptors: [Int32: Int] = [:]
        var recording: Recording?
        var kill: (KillMoment, root: String)?
        var killed: Killed?
    }

    /// The moment at which a process is killed.
    enum KillMoment: Sendable {
        /// After this number of events.
        case events(Int)
        /// After this number of name changes.
        case nameChanges(Int)
    }

    /// The state at a moment at which the process could have been killed. The system keeps changes that were not synced.
    struct Killed: Sendable {
        fileprivate(set) var events: [MediumEvent]
        fileprivate var files: [String: Int]
        fileprivate var paths: [String]
        /// The path of a copy of the folder.
        fileprivate(set) var root: String
    }

    // SAFETY: the pointer is only passed on; the C side has its own lock.
    fileprivate struct Recording: @unchecked Sendable {
        var pointer: OpaquePointer
    }

    /// - Parameter root: A folder; its contents count as durable.
    init(root: String, fault: PlantedFault?) throws {
        self.root = try Self.realPath(root)
        self.fault = fault
        let prefix = self.root + "/"
        for name in try FileManager.default.subpathsOfDirectory(atPath: root).sorted() {
            try state.withLock { try $0.adopt(name, prefix) }
        }
        try begin(prefix)
    }

    /// Continues the record of a killed process.
    init(after killed: Killed) throws {
        root = try Self.realPath(killed.root)
        fault = nil
        state.withLock { state in
            (state.events, state.files, state.paths) = (killed.events, killed.files, killed.paths)
        }
        try begin(root + "/")
    }

    private func begin(_ prefix: String) throws {
        var listener = Self.listener
        // SAFETY: this object lives until `end()`, after which the listener is not called.
        listener.context = Unmanaged.passUnretained(self).toOpaque()
        guard let pointer = recording_begin(prefix, listener) else {
            throw StoreTestingError("SQLite cannot be watched here")
        }
        state.withLock { $0.recording = Recording(pointer: pointer) }
    }

    /// Ends the recording and returns its events. All files must be closed.
    func end() -> [MediumEvent] {
        state.withLock { state in
            if let recording = state.recording { recording_end(recording.pointer) }
            state.recording = nil
            return state.events
        }
    }

    /// The number of events so far.
    var count: Int { state.withLock { $0.events.count } }

    func note(_ event: MediumEvent) {
        change { $0.events.append(event) }
    }

    /// Sets ``killed`` to the state at a moment, with a copy of the folder.
    func kill(at moment: KillMoment, copyTo root: String) {
        state.withLock { $0.kill = (moment, root) }
    }

    var killed: Killed? { state.withLock { $0.killed } }

    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        state.withLock { state in
            defer { state.killIfDue(root) }
            return body(&state)
        }
    }

    private static func realPath(_ path: String) throws -> String {
        guard let resolved = realpath(path, nil) else { throw StoreTestingError("no folder \(path)") }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func below(_ path: String) -> String {
        path == root ? "" : String(path.dropFirst(root.utf8.count + 1))
    }

    // MARK: Calls of SQLite

    private static var listener: recording_listener {
        recording_listener(
            context: nil,
            opened: { context, path in
                Int64(MediumRecorder.of(context).opened(String(cString: path)))
            },
            written: { context, file, offset, bytes, count in
                let bytes = [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(count)))
                MediumRecorder.of(context).note(.written(Int(file), offset: Int(offset), bytes))
            },
            truncated: { context, file, length in
                MediumRecorder.of(context).note(.truncated(Int(file), length: Int(length)))
            },
            may_synchronize: { context, file in MediumRecorder.of(context).maySynchronize(Int(file)) },
            synchronized: { context, file in MediumRecorder.of(context).note(.synchronized(Int(file))) },
            folder_synchronized: { context, path in
                MediumRecorder.of(context).folderSynchronized(String(cString: path))
            },
            removed: { context, path in MediumRecorder.of(context).removed(String(cString: path)) }
        )
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> MediumRecorder {
        // SAFETY: `init` passed this object as the context, and it lives until `end()`.
        Unmanaged<MediumRecorder>.fromOpaque(context!).takeUnretainedValue()
    }

    private func opened(_ path: String) -> Int {
        let name = below(path)
        return change { $0.files[name] ?? $0.create(name) }
    }

    private func maySynchronize(_ file: Int) -> Bool {
        switch fault {
        case .noSync: false
        case .noLogSync: !state.withLock { $0.paths[file] }.contains("-wal")
        case .noFileSync: state.withLock { $0.paths[file] }.contains("-wal")
        case .noFolderSync, .earlyAnswer, nil: true
        }
    }

    private func folderSynchronized(_ path: String) {
        // Folders above the root exist in any case.
        let isBelow = path == root || path.hasPrefix(root + "/")
        if isBelow, fault != .noFolderSync { note(.folderSynchronized(below(path))) }
    }

    private func removed(_ path: String) {
        let name = below(path)
        change { state in
            guard state.files.removeValue(forKey: name) != nil else { return }
            state.events.append(.removed(name))
        }
    }

    // MARK: Calls of the store

    func makeFolder(_ path: String) -> Int32 {
        let result = system.makeFolder(path)
        if result == 0 { note(.folderMade(below(path))) }
        return result
    }

    func create(_ path: String) -> Int32 {
        let descriptor = system.create(path)
        guard descriptor >= 0 else { return descriptor }
        let name = below(path)
        change { $0.descriptors[descriptor] = $0.create(name) }
        return descriptor
    }

    func write(_ bytes: [UInt8], count: Int, to descriptor: Int32) -> Int {
        let offset = Int(lseek(descriptor, 0, SEEK_CUR))
        let written = system.write(bytes, count: count, to: descriptor)
        guard written > 0 else { return written }
        change { state in
            let bytes = written == bytes.count ? bytes : Array(bytes.prefix(written))
            state.events.append(.written(state.descriptors[descriptor]!, offset: offset, bytes))
        }
        return written
    }

    func synchronize(_ descriptor: Int32) -> Int32 {
        let file = state.withLock { $0.descriptors[descriptor]! }
        guard maySynchronize(file) else { return 0 }
        let result = system.synchronize(descriptor)
        if result == 0 { note(.synchronized(file)) }
        return result
    }

    func synchronizeFolder(_ path: String) -> Int32 {
        let result = system.synchronizeFolder(path)
        if result == 0 { folderSynchronized(path) }
        return result
    }

    func link(_ path: String, to newPath: String) -> Int32 {
        let result = system.link(path, to: newPath)
        let (name, newName) = (below(path), below(newPath))
        guard result == 0 else { return result }
        change { state in
            state.files[newName] = state.files[name]
            state.events.append(.linked(name, to: newName))
        }
        return result
    }

    func rename(_ path: String, to newPath: String) -> Int32 {
        let result = system.rename(path, to: newPath)
        let (name, newName) = (below(path), below(newPath))
        guard result == 0 else { return result }
        change { state in
            // The index of the log has no number: it is useless after a power cut.
            guard let file = state.files.removeValue(forKey: name) else { return }
            state.files[newName] = file
            state.events.append(.renamed(name, to: newName))
        }
        return result
    }

    func remove(_ path: String) -> Int32 {
        let result = system.remove(path)
        if result == 0 { removed(path) }
        return result
    }

    func close(_ descriptor: Int32) {
        state.withLock { $0.descriptors[descriptor] = nil }
        system.close(descriptor)
    }
}

extension MediumRecorder.State {
    mutating func killIfDue(_ root: String) {
        guard let (moment, copy) = kill else { return }
        switch moment {
        case .events(let count): guard events.count >= count else { return }
        case .nameChanges(let count): guard events.count(where: \.isOfNames) >= count else { return }
        }
        kill = nil
        // If the copy fails, `killed` stays nil, and no process continues.
        guard (try? FileManager.default.copyItem(atPath: root, toPath: copy)) != nil else { return }
        killed = .init(events: events, files: files, paths: paths, root: copy)
    }

    mutating func create(_ name: String) -> Int {
        let file = paths.count
        files[name] = file
        paths.append(name)
        events.append(.created(file, name))
        return file
    }

    /// Adds a file or folder that exists when the recording begins.
    mutating func adopt(_ name: String, _ prefix: String) throws {
        if name.hasSuffix("-shm") || name.hasSuffix(".lock") { return }
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: prefix + name, isDirectory: &isFolder)
        if isFolder.boolValue {
            events.append(.folderMade(name))
        } else {
            let file = create(name)
            let content = try Data(contentsOf: URL(filePath: prefix + name))
            events.append(.written(file, offset: 0, Array(content)))
            events.append(.synchronized(file))
        }
        events.append(.folderSynchronized(folder(of: name)))
    }
}
