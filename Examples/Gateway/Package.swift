// swift-tools-version: 6.2
import PackageDescription

let bridge = "mqtt-event-bridge"

let package = Package(
    name: "gateway",
    // In a package of your own: .package(url: "https://…/mqtt-event-bridge", branch: "main")
    dependencies: [
        .package(name: bridge, path: "../.."),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "Site", dependencies: [.product(name: "MQTTBridge", package: bridge)]),
        .executableTarget(
            name: "gateway",
            dependencies: [
                "Site",
                .product(name: "SQLiteStore", package: bridge),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Gateway"
        ),
        .executableTarget(
            name: "devices",
            dependencies: ["Site", .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")],
            path: "Sources/Devices"
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Site", .product(name: "EventBridgeTesting", package: bridge)]
        ),
    ],
    swiftLanguageModes: [.v6]
)
