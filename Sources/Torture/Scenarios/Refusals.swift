internal import FaultKit
internal import Foundation

/// F24: a wrong password, and topics that the broker denies. No refused message counts as published.
enum Refusals {
    static func run(_ testBed: TestBed) throws {
        let (passwords, access) = ("\(testBed.folder)/passwords", "\(testBed.folder)/access")
        try Shell.run("mosquitto_passwd", ["-b", "-c", passwords, "bridge", "right"])
        try write("topic readwrite #\nuser bridge\ntopic deny out/denied/#\ntopic readwrite #\n", to: access)
        let lines = ["password_file \(passwords)", "acl_file \(access)"]
        let broker = try testBed.broker(.init(queued: 100_000, lines: lines))
        let receiver = try testBed.receiver(at: broker)

        let installation = try testBed.installation(port: broker.port)
        let secret = "\(testBed.folder)/secret"
        installation.configuration.brokerSettings = ["username: bridge", "password: {file: \"\(secret)\"}"]
        try wrongPassword(secret, installation, broker, testBed)

        try write("right\n", to: secret)
        let daemon = try testBed.start(installation)
        try testBed.drain()
        testBed.findings.demand(testBed.outbound.sightings > 0, "what waited during the wrong password did not come")
        try testBed.close(daemon, of: installation)

        // The same store and name with a separate ledger: none of these messages may arrive.
        let denied = Ledger(.outbound)
        let other = try testBed.installation(port: broker.port, outbound: denied)
        other.configuration = installation.configuration
        other.feedPrefix = "out.denied.k"
        try deniedTopics(denied, other, testBed)
        receiver.end()
    }

    private static func wrongPassword(
        _ secret: String,
        _ installation: Installation,
        _ broker: MosquittoBroker,
        _ testBed: TestBed
    ) throws {
        try write("wrong\n", to: secret)
        let count = 100
        let daemon = try testBed.begin(installation, feeding: .init(rate: 200, size: 64, limit: count))
        let isStored = try testBed.wait(upTo: .seconds(10)) { daemon.feeder?.stored == count }
        testBed.findings.demand(isStored, "not stored while the password is wrong")
        try testBed.pause(.seconds(4))
        testBed.findings.demand(daemon.child.exitStatus == nil, "a wrong password ended the daemon")
        testBed.findings.demand(daemon.feeder?.published == 0, "counted as published with a wrong password")
        testBed.findings.demand(!daemon.isReady, "ready with a wrong password")
        let attempts = broker.log.split(separator: "\n").count { $0.contains("not authorised") }
        testBed.findings.demand(attempts > 0, "the broker did not refuse the password")
        testBed.findings.demand(attempts <= 3, "\(attempts) attempts with a wrong password in 4 s")
        try testBed.close(daemon, of: installation)
        testBed.findings.note("wrong password: \(attempts) attempt(s) in 4 s")
    }

    private static func deniedTopics(_ denied: Ledger, _ installation: Installation, _ testBed: TestBed) throws {
        let count = 20
        let daemon = try testBed.start(installation, feeding: .init(rate: 200, size: 64, limit: count))
        let isStored = try testBed.wait(upTo: .seconds(10)) { daemon.feeder?.stored == count }
        testBed.findings.demand(isStored, "messages for a denied topic were not stored")
        var letters = 0
        let areDead = try testBed.wait(upTo: .seconds(60)) {
            letters = (try? deadLetters(installation)) ?? 0
            return letters == count
        }
        testBed.findings.demand(areDead, "\(letters) of \(count) refused messages became dead letters within 60 s")
        testBed.findings.demand(daemon.feeder?.published == 0, "a refused message counted as published")
        testBed.findings.demand(testBed.outbound.checker.strange == 0, "the denied topic was published")
        try testBed.close(daemon, of: installation)
        testBed.findings.note("denied topic: \(letters) of \(denied.sent) dead letters, none counted as published")
    }

    private static func deadLetters(_ installation: Installation) throws -> Int {
        let list = try installation.command("dead-letters", "list", "--format", "json").stdout
        return list.split(separator: "\n").count { $0.contains("denied") }
    }

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        // Both mosquitto and the bridge want secrets that only their user can read.
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}
