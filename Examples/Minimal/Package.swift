// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "minimal",
    // In a package of your own: .package(url: "https://…/mqtt-event-bridge", branch: "main")
    dependencies: [.package(name: "mqtt-event-bridge", path: "../..")],
    targets: [
        .executableTarget(
            name: "minimal",
            dependencies: [.product(name: "MQTTBridge", package: "mqtt-event-bridge")],
            path: "Sources"
        )
    ],
    swiftLanguageModes: [.v6]
)
