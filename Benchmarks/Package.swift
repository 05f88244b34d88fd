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

/// What a program needs that embeds the bridge.
let bridge: [Target.Dependency] = [
    .product(name: "AsyncEventBus", package: "mqtt-event-bridge"),
    .product(name: "BufferedIO", package: "mqtt-event-bridge"),
    .product(name: "Mosquitto", package: "mqtt-event-bridge"),
    .product(name: "MQTTBridge", package: "mqtt-event-bridge"),
    .product(name: "ArgumentParser", package: "swift-argument-parser"),
    .product(name: "Logging", package: "swift-log"),
]
let mosquitto: [LinkerSetting] = [.linkedLibrary("mosquitto")]

let package = Package(
    name: "benchmarks",
    products: [
        .library(name: "CountAllocations", type: .dynamic, targets: ["count-allocations"]),
        .library(name: "WritableMask", type: .dynamic, targets: ["writable-mask"]),
    ],
    dependencies: [
        .package(name: "mqtt-event-bridge", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-async-algorithms", exact: "1.1.4"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/OpenCombine/OpenCombine", exact: "0.14.0"),
    ],
    targets: [
        // Loaded into a program to count.
        .target(name: "count-allocations"),
        // Loaded into a program that runs under valgrind.
        .target(name: "writable-mask"),

        // Runs the others, and prints what they measured.
        .executableTarget(
            name: "bench",
            dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: swiftSettings
        ),

        // What measures: they start the client, so that they know its processor time.
        .target(name: "wire"),
        .executableTarget(name: "hose", dependencies: ["wire"]),
        .executableTarget(name: "sink", dependencies: ["wire"]),
        .executableTarget(name: "flood", dependencies: ["wire"]),
        .executableTarget(name: "ping", dependencies: ["wire"]),
        .executableTarget(name: "fairness", dependencies: ["wire"]),

        // What is measured: ours.
        .executableTarget(
            name: "bridge-peer",
            dependencies: bridge,
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "durable-bridge",
            dependencies: bridge + [
                .product(name: "MessageStore", package: "mqtt-event-bridge"),
                .product(name: "SQLiteStore", package: "mqtt-event-bridge"),
            ],
            swiftSettings: swiftSettings
        ),

        // Makes a store for a start to find.
        .executableTarget(
            name: "store-filler",
            dependencies: [
                .product(name: "MessageStore", package: "mqtt-event-bridge"),
                .product(name: "SQLiteStore", package: "mqtt-event-bridge"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "matcher",
            dependencies: [
                .product(name: "AsyncEventBus", package: "mqtt-event-bridge"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "buses",
            dependencies: [
                .product(name: "AsyncEventBus", package: "mqtt-event-bridge"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "OpenCombine", package: "OpenCombine"),
            ],
            swiftSettings: swiftSettings
        ),

        // What is measured: the others.
        .executableTarget(name: "trie", linkerSettings: [.linkedLibrary("m")]),
        .target(name: "peer-arguments"),
        .target(name: "drained-loop", dependencies: ["peer-arguments"], linkerSettings: mosquitto),
        .executableTarget(name: "c-loop-forever", dependencies: ["peer-arguments"], linkerSettings: mosquitto),
        .executableTarget(name: "c-own-loop", dependencies: ["drained-loop", "peer-arguments"]),
        .executableTarget(
            name: "paho-c",
            dependencies: ["peer-arguments"],
            linkerSettings: [.linkedLibrary("paho-mqtt3c")]
        ),
        .executableTarget(
            name: "durable-peer",
            dependencies: ["drained-loop", "peer-arguments"],
            linkerSettings: [.linkedLibrary("sqlite3")]
        ),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
