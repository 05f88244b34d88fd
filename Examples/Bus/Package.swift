// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "bus",
    // Without traits only swift-collections and swift-log are fetched.
    dependencies: [.package(name: "mqtt-event-bridge", path: "../..", traits: [])],
    targets: [
        .executableTarget(
            name: "bus",
            dependencies: [.product(name: "AsyncEventBus", package: "mqtt-event-bridge")],
            path: "Sources"
        )
    ],
    swiftLanguageModes: [.v6]
)
