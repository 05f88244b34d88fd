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

/// A product of another package, which is fetched only with the trait `Bridge`.
func product(_ name: String, of package: String) -> Target.Dependency {
    .product(name: name, package: package, condition: .when(traits: ["Bridge"]))
}

let argumentParser = product("ArgumentParser", of: "swift-argument-parser")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let grdb = product("GRDB", of: "GRDB.swift")
let serviceLifecycle = product("ServiceLifecycle", of: "swift-service-lifecycle")
let unixSignals = product("UnixSignals", of: "swift-service-lifecycle")

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
        .library(name: "EventBridgeTesting", targets: ["EventBridgeTesting"]),
        .executable(name: "mqtt-bridge", targets: ["mqtt-bridge"]),
        .executable(name: "mqtt-bridge-torture", targets: ["mqtt-bridge-torture"]),
    ],
    // One, and not one for each product: with several, SwiftPM 6.3 passes them to the compiler in another order each time it plans a
    // build, and compiles everything again.
    traits: [
        .trait(
            name: "Bridge",
            description:
                "All products. Without it, only those that need neither GRDB nor Yams nor ServiceLifecycle: the bus, the client."
        ),
        .default(enabledTraits: ["Bridge"]),
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
        .target(name: "Locking", dependencies: [deque]),
        .target(
            name: "AsyncEventBus",
            dependencies: ["Locking", deque, logging],
            swiftSettings: [.strictMemorySafety()]
        ),
        .systemLibrary(
            name: "CMosquitto",
            pkgConfig: "libmosquitto",
            providers: [.apt(["libmosquitto-dev", "libssl-dev"])]
        ),
        .target(name: "CInterposition", dependencies: ["CMosquitto"]),
        .target(
            name: "Mosquitto",
            dependencies: ["CInterposition", "CMosquitto", "Locking", deque, logging],
            swiftSettings: [.strictMemorySafety()]
        ),
        .target(name: "CBufferedIO", dependencies: ["CInterposition"]),
        .target(name: "BufferedIO", dependencies: ["CBufferedIO", "Mosquitto"]),
        .target(name: "MessageStore", dependencies: ["Locking"]),
        .target(
            name: "SQLiteStore",
            dependencies: [
                "Locking",
                "MessageStore",
                grdb,
                product("GRDBSQLite", of: "GRDB.swift"),
            ]
        ),
        .target(name: "Programs"),
        // For tests and torture only: no product that users embed may depend on these three.
        .target(name: "FaultKit", dependencies: ["Programs", "Locking"]),
        .target(name: "CRecordingVFS", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(
            name: "StoreTesting",
            dependencies: ["CRecordingVFS", "FaultKit", "Locking", "MessageStore", "SQLiteStore"]
        ),
        .target(
            name: "MQTTBridge",
            dependencies: ["AsyncEventBus", "Locking", "MessageStore", "Mosquitto", deque, logging, serviceLifecycle]
        ),
        .target(
            name: "MQTTBridgeConfiguration",
            dependencies: ["MQTTBridge", "Mosquitto", product("Yams", of: "Yams")]
        ),
        .target(name: "EventBridgeTesting", dependencies: ["Locking", "MQTTBridge", logging]),
        .target(
            name: "Simulation",
            dependencies: [
                "AsyncEventBus", "FaultKit", "Locking", "MessageStore", "Mosquitto", "MQTTBridge",
                deque,
                logging,
            ]
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
                grdb,
                logging,
            ]
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
                logging,
                serviceLifecycle,
                product("Subprocess", of: "swift-subprocess"),
                product("SystemPackage", of: "swift-system"),
                unixSignals,
            ]
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
                argumentParser,
                logging,
            ]
        ),
        .executableTarget(
            name: "mqtt-bridge-torture",
            dependencies: [
                "Mosquitto",
                "Programs",
                "Torture",
                argumentParser,
                unixSignals,
            ]
        ),
        .target(
            name: "TestSupport",
            dependencies: ["FaultKit", "Locking", "MessageStore", logging],
            path: "Tests/TestSupport"
        ),
        .testTarget(name: "SimulationTests", dependencies: ["Mosquitto", "Simulation"]),
        .testTarget(name: "TortureTests", dependencies: ["Mosquitto", "TestSupport", "Torture"]),
        .testTarget(
            name: "AsyncEventBusTests",
            dependencies: ["AsyncEventBus", "EventBridgeTesting", "Locking", "TestSupport", logging]
        ),
        .testTarget(
            name: "EventBridgeTestingTests",
            dependencies: ["EventBridgeTesting", "Locking", "MQTTBridge", "TestSupport", logging]
        ),
        .testTarget(
            name: "MosquittoTests",
            dependencies: ["BufferedIO", "CBufferedIO", "CInterposition", "Locking", "Mosquitto", "TestSupport"]
        ),
        .testTarget(
            name: "BufferedIOTests",
            dependencies: ["BufferedIO", "CBufferedIO", "Mosquitto", "TestSupport", logging]
        ),
        .testTarget(
            name: "MessageStoreTests",
            dependencies: [
                "MessageStore", "SQLiteStore", "StoreTesting", "TestSupport",
                grdb,
            ]
        ),
        .testTarget(
            name: "MQTTBridgeTests",
            dependencies: [
                "AsyncEventBus", "BufferedIO", "EventBridgeTesting", "MessageStore", "Mosquitto", "MQTTBridge",
                "SQLiteStore", "TestSupport",
                grdb,
                logging,
                serviceLifecycle,
            ]
        ),
        .testTarget(
            name: "MQTTBridgeConfigurationTests",
            dependencies: ["Mosquitto", "MQTTBridge", "MQTTBridgeConfiguration", "TestSupport"]
        ),
        // A gateway for CommandTests to kill.
        .executableTarget(
            name: "three-listeners",
            dependencies: ["AsyncEventBus", "Mosquitto", "MQTTBridge", "SQLiteStore", logging],
            path: "Tests/ThreeListeners"
        ),
        .testTarget(
            name: "BridgeDaemonTests",
            dependencies: [
                "AsyncEventBus", "BridgeDaemon", "MessageStore", "Mosquitto", "MQTTBridge", "TestSupport",
                logging,
                serviceLifecycle,
            ]
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "mqtt-bridge", "mqtt-bridge-torture", "three-listeners", "MessageStore", "SQLiteStore", "TestSupport",
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// Set by `Scripts/test` for its build with ThreadSanitizer, which runs the tests of these targets only: a second build of all
// would take as long as the first.
if Context.environment["TESTS_OF_THREADS_ONLY"] != nil {
    let others: Set = [
        "BridgeDaemon", "MQTTBridgeConfiguration", "Simulation", "StoreTesting", "Torture", "mqtt-bridge",
        "mqtt-bridge-torture", "three-listeners", "BridgeDaemonTests", "CommandTests", "EventBridgeTestingTests",
        "MQTTBridgeConfigurationTests", "MessageStoreTests", "SimulationTests", "TortureTests",
    ]
    package.targets.removeAll { others.contains($0.name) }
    package.products.removeAll { others.contains($0.name) }
}

for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + swiftSettings
}
