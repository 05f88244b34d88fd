package import Programs

extension Program {
    /// Returns the path of the program.
    ///
    /// - Throws: ``Unavailable`` if ``path(of:)`` does not find it.
    package static func required(_ name: String) throws -> String {
        guard let path = path(of: name) else { throw Unavailable(reason: "\(name) is not installed") }
        return path
    }
}
