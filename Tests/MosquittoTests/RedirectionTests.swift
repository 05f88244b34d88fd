import CInterposition
import Foundation
import TestSupport
import Testing

/// With libraries that are made here, by the compiler that Swift links with.
@Suite("redirecting what a library calls")
struct RedirectionTests {
    /// A shared library that asks for the parent's process id and, not at once, for the user's.
    private final class SmallLibrary {
        let path: String
        private let folder: TemporaryDirectory
        private let handle: UnsafeMutableRawPointer

        init(flags: [String]) async throws {
            folder = try TemporaryDirectory()
            let source = try folder.write(
                """
                #include <unistd.h>
                int parent(void) { return getppid(); }
                int user(void) { return (int)getuid(); }
                """,
                to: "small.c"
            )
            path = folder.file("libsmall.so")
            let compiler = try ChildProcess("cc", ["-shared", "-fPIC", "-O1"] + flags + ["-o", path, source])
            let end = try await compiler.wait()
            guard end == .exited(0), let handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL) else {
                throw FaultKitError("no library: \(end) \(compiler.transcript)")
            }
            self.handle = handle
        }

        deinit { dlclose(handle) }

        var place: UnsafeMutableRawPointer? { dlsym(handle, "parent") }

        var parent: Int32 {
            let function = unsafeBitCast(place, to: (@convention(c) () -> Int32).self)
            return function()
        }

        /// What of it may be written, and where.
        var mappings: [String] {
            let bytes = try? FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd()
            let text = String(decoding: bytes ?? Data(), as: UTF8.self)
            return text.split(separator: "\n").filter { $0.hasSuffix(path) }.map(String.init)
        }
    }

    private static let ours: @convention(c) () -> Int32 = { 4_711 }

    /// Why calls go on as before; nil if they do not.
    private func redirect(
        _ place: UnsafeMutableRawPointer?,
        _ names: [String] = ["getppid"],
        bypasses: [String] = []
    ) -> String? {
        let names = names.map { UnsafePointer(strdup($0)!) }
        let bypasses = bypasses.map { UnsafePointer(strdup($0)!) }
        defer { for name in names + bypasses { free(UnsafeMutablePointer(mutating: name)) } }
        let calls = names.map { name in
            redirected_call(
                name: name,
                current: UnsafeRawPointer(dlsym(nil, name)!),
                replacement: unsafeBitCast(Self.ours, to: UnsafeRawPointer.self)
            )
        }
        return redirect_calls(place, calls, calls.count, bypasses, bypasses.count).map { String(cString: $0) }
    }

    @Test(
        "it works where slots are written later, are read-only, or are no jump slots, and leaves them as they were",
        arguments: [
            ["-Wl,-z,lazy", "-Wl,-z,norelro"], ["-Wl,-z,lazy", "-Wl,-z,relro"], ["-Wl,-z,now", "-Wl,-z,relro"],
            ["-Wl,-z,now", "-Wl,-z,relro", "-fno-plt"],
        ]
    )
    func slots(flags: [String]) async throws {
        let library = try await SmallLibrary(flags: flags)
        let before = library.mappings
        #expect(before.contains { $0.contains(" r--p ") }, "\(before)")
        #expect(redirect(library.place) == nil)
        #expect(library.parent == 4_711)
        #expect(getppid() != 4_711, "this program's own calls go where they went")
        #expect(library.mappings == before)
        #expect(redirect(library.place)?.contains("something else") == true)
    }

    @Test("a library that does the same by another function, or not at all, is left alone")
    func bypass() async throws {
        let library = try await SmallLibrary(flags: [])
        #expect(redirect(library.place, bypasses: ["getuid"])?.contains("more functions") == true)
        #expect(redirect(library.place, ["getppid", "getpgrp"])?.contains("does not call") == true)
        #expect(redirect(nil)?.contains("not a shared one") == true)
        let heap = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { heap.deallocate() }
        #expect(redirect(heap)?.contains("not a shared one") == true)
        #expect(library.parent == getppid())
    }

    /// As glibc's `_dl_protect_relro` rounds.
    @Test("both ends of what is read-only are rounded down to pages, of any size")
    func rounding() {
        #expect(is_sealed(0x19FE8, 0x19D90, 0x1A000, 0x1000))
        #expect(is_sealed(0x19000, 0x19D90, 0x1A000, 0x1000))
        #expect(!is_sealed(0x1A018, 0x19D90, 0x1A000, 0x1000))
        #expect(!is_sealed(0x1A018, 0x19D90, 0x1A100, 0x1000))
        #expect(is_sealed(0x2FE00, 0x2FD90, 0x30400, 0x10000))
        #expect(!is_sealed(0x30100, 0x2FD90, 0x30400, 0x10000))
        #expect(!is_sealed(0x2FE00, 0x2FD90, 0x2FF00, 0x10000))
    }
}
