package import Foundation

extension ProcessInfo {
    /// Returns the environment of this process with variables added or replaced, for a child.
    package func environment(with variables: [String: String]) -> [String: String] {
        environment.merging(variables) { $1 }
    }
}
