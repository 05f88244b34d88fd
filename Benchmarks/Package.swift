// swift-tools-version: 6.2

import PackageDescription

/// The same checks as on the package itself.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
]

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "mqtt-event-bridge", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // Runs the others, and prints what they measured.
        .executableTarget(
            name: "bench",
            dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: swiftSettings
        ),
        // A fake broker that sends as fast as its client takes it.
        .executableTarget(name: "hose"),
        // The clients for `durable`: ours, and the C program of the same design.
        .executableTarget(
            name: "durable-bridge",
            dependencies: [
                .product(name: "AsyncEventBus", package: "mqtt-event-bridge"),
                .product(name: "Mosquitto", package: "mqtt-event-bridge"),
                .product(name: "MessageStore", package: "mqtt-event-bridge"),
                .product(name: "MQTTBridge", package: "mqtt-event-bridge"),
                .product(name: "SQLiteStore", package: "mqtt-event-bridge"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "durable-peer",
            linkerSettings: [.linkedLibrary("mosquitto"), .linkedLibrary("sqlite3")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
