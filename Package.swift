// swift-tools-version: 6.2

import PackageDescription

/// Checks on every Swift target. The names of upcoming features come from the Swift evolution proposals.
var swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
]

// Set by `Scripts/test`. Not always on: a newer compiler's new warning must not break the build of somebody
// who depends on this package.
if Context.environment["WARNINGS_AS_ERRORS"] != nil {
    swiftSettings.append(.treatAllWarnings(as: .error))
}

let package = Package(
    name: "mqtt-event-bridge",
    products: [
        .library(name: "AsyncEventBus", targets: ["AsyncEventBus"]),
        .library(name: "Mosquitto", targets: ["Mosquitto"]),
        .library(name: "BufferedIO", targets: ["BufferedIO"]),
        .library(name: "MessageStore", targets: ["MessageStore"]),
        .library(name: "SQLiteStore", targets: ["SQLiteStore"]),
        .library(name: "MQTTBridge", targets: ["MQTTBridge"]),
        .library(name: "MQTTBridgeConfiguration", targets: ["MQTTBridgeConfiguration"]),
        .executable(name: "mqtt-bridge", targets: ["mqtt-bridge"]),
        .executable(name: "mqtt-bridge-torture", targets: ["mqtt-bridge-torture"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(
            name: "Locking",
            dependencies: [.product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "AsyncEventBus",
            dependencies: [
                "Locking",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings + [.strictMemorySafety()]
        ),
        .systemLibrary(
            name: "CMosquitto",
            pkgConfig: "libmosquitto",
            providers: [.apt(["libmosquitto-dev", "libssl-dev"]), .brew(["mosquitto"])]
        ),
        .target(name: "CInterposition", dependencies: ["CMosquitto"]),
        .target(
            name: "Mosquitto",
            dependencies: [
                "CInterposition",
                "CMosquitto",
                "Locking",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings + [.strictMemorySafety()]
        ),
        .target(name: "CBufferedIO", dependencies: ["CInterposition"]),
        .target(
            name: "BufferedIO",
            dependencies: ["CBufferedIO", "Mosquitto"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "MessageStore",
            dependencies: ["Locking"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "SQLiteStore",
            dependencies: [
                "Locking",
                "MessageStore",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(name: "Programs", swiftSettings: swiftSettings),
        // For tests and torture only: no product that users embed may depend on these three.
        .target(name: "FaultKit", dependencies: ["Programs", "Locking"], swiftSettings: swiftSettings),
        .target(name: "CRecordingVFS", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(
            name: "StoreTesting",
            dependencies: ["CRecordingVFS", "FaultKit", "Locking", "MessageStore", "SQLiteStore"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "MQTTBridge",
            dependencies: [
                "AsyncEventBus",
                "Locking",
                "MessageStore",
                "Mosquitto",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "MQTTBridgeConfiguration",
            dependencies: [
                "MQTTBridge",
                "Mosquitto",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Simulation",
            dependencies: [
                "AsyncEventBus", "FaultKit", "Locking", "MessageStore", "Mosquitto", "MQTTBridge",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Torture",
            dependencies: [
                "Programs",
                "FaultKit",
                "Locking",
                "Mosquitto",
                "Simulation",
                "StoreTesting",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BridgeDaemon",
            dependencies: [
                "AsyncEventBus",
                "BufferedIO",
                "Locking",
                "MessageStore",
                "Mosquitto",
                "MQTTBridge",
                "MQTTBridgeConfiguration",
                "Programs",
                "SQLiteStore",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "mqtt-bridge",
            dependencies: [
                "AsyncEventBus",
                "BridgeDaemon",
                "BufferedIO",
                "MessageStore",
                "Mosquitto",
                "MQTTBridge",
                "MQTTBridgeConfiguration",
                "Programs",
                "SQLiteStore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "mqtt-bridge-torture",
            dependencies: [
                "Mosquitto",
                "Programs",
                "Torture",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "TestSupport",
            dependencies: [
                "FaultKit",
                "Locking",
                "MessageStore",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Simulation"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "TortureTests",
            dependencies: ["Mosquitto", "TestSupport", "Torture"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "AsyncEventBusTests",
            dependencies: [
                "AsyncEventBus", "Locking", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "MosquittoTests",
            dependencies: ["BufferedIO", "CBufferedIO", "CInterposition", "Locking", "Mosquitto", "TestSupport"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BufferedIOTests",
            dependencies: [
                "BufferedIO", "CBufferedIO", "Mosquitto", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "MessageStoreTests",
            dependencies: [
                "MessageStore", "SQLiteStore", "StoreTesting", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "MQTTBridgeTests",
            dependencies: [
                "AsyncEventBus", "BufferedIO", "MessageStore", "Mosquitto", "MQTTBridge", "SQLiteStore", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "MQTTBridgeConfigurationTests",
            dependencies: ["Mosquitto", "MQTTBridge", "MQTTBridgeConfiguration", "TestSupport"],
            swiftSettings: swiftSettings
        ),
        // A gateway for CommandTests to kill.
        .executableTarget(
            name: "three-listeners",
            dependencies: [
                "AsyncEventBus", "Mosquitto", "MQTTBridge", "SQLiteStore",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/ThreeListeners",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BridgeDaemonTests",
            dependencies: [
                "AsyncEventBus", "BridgeDaemon", "MessageStore", "Mosquitto", "MQTTBridge", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "mqtt-bridge", "mqtt-bridge-torture", "three-listeners", "MessageStore", "SQLiteStore", "TestSupport",
            ],
            swiftSettings: swiftSettings
        ),
    ],
    swiftLanguageModes: [.v6]
)
