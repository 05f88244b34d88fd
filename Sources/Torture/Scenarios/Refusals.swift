internal import FaultKit
internal import Foundation

/// F24: a wrong password, and topics that the broker denies. Nothing that was refused counts as published.
enum Refusals {
    static func run(_ bench: Bench) throws {
        let (passwords, access) = ("\(bench.folder)/passwords", "\(bench.folder)/access")
        try Shell.run("mosquitto_passwd", ["-b", "-c", passwords, "bridge", "right"])
        try write("topic readwrite #\nuser bridge\ntopic deny out/denied/#\ntopic readwrite #\n", to: access)
        let lines = ["password_file \(passwords)", "acl_file \(access)"]
        let broker = try bench.broker(.init(queued: 100_000, lines: lines))
        let receiver = try bench.receiver(at: broker)

        let installation = try bench.installation(port: broker.port)
        let secret = "\(bench.folder)/secret"
        installation.configuration.brokerSettings = ["username: bridge", "password: {file: \"\(secret)\"}"]
        try wrongPassword(secret, installation, broker, bench)

        try write("right\n", to: secret)
        let daemon = try bench.start(installation)
        try bench.drain()
        bench.findings.demand(bench.outbound.sightings > 0, "what waited during the wrong password did not come")
        try bench.close(daemon, of: installation)

        // The same store and name, but a ledger of its own: none of this may arrive.
        let denied = Ledger(.outbound)
        let other = try bench.installation(port: broker.port, outbound: denied)
        other.configuration = installation.configuration
        other.feedPrefix = "out.denied.k"
        try deniedTopics(denied, other, bench)
        receiver.end()
    }

    private static func wrongPassword(
        _ secret: String,
        _ installation: Installation,
        _ broker: MosquittoBroker,
        _ bench: Bench
    ) throws {
        try write("wrong\n", to: secret)
        let count = 100
        let daemon = try bench.begin(installation, feeding: .init(rate: 200, size: 64, limit: count))
        let isStored = try bench.wait(upTo: .seconds(10)) { daemon.feeder?.stored == count }
        bench.findings.demand(isStored, "not stored while the password is wrong")
        try bench.pause(.seconds(4))
        bench.findings.demand(daemon.child.exitStatus == nil, "a wrong password ended the daemon")
        bench.findings.demand(daemon.feeder?.published == 0, "counted as published with a wrong password")
        bench.findings.demand(!daemon.isReady, "ready with a wrong password")
        let attempts = broker.log.split(separator: "\n").count { $0.contains("not authorised") }
        bench.findings.demand(attempts > 0, "the broker did not refuse the password")
        bench.findings.demand(attempts <= 3, "\(attempts) attempts with a wrong password in 4 s")
        try bench.close(daemon, of: installation)
        bench.findings.note("wrong password: \(attempts) attempt(s) in 4 s")
    }

    private static func deniedTopics(_ denied: Ledger, _ installation: Installation, _ bench: Bench) throws {
        let count = 20
        let daemon = try bench.start(installation, feeding: .init(rate: 200, size: 64, limit: count))
        let isStored = try bench.wait(upTo: .seconds(10)) { daemon.feeder?.stored == count }
        bench.findings.demand(isStored, "messages for a denied topic were not stored")
        var letters = 0
        let areDead = try bench.wait(upTo: .seconds(60)) {
            letters = (try? deadLetters(installation)) ?? 0
            return letters == count
        }
        bench.findings.demand(areDead, "\(letters) of \(count) refused messages became dead letters within 60 s")
        bench.findings.demand(daemon.feeder?.published == 0, "a refused message counted as published")
        bench.findings.demand(bench.outbound.checker.strange == 0, "the denied topic was published")
        try bench.close(daemon, of: installation)
        bench.findings.note("denied topic: \(letters) of \(denied.sent) dead letters, none counted as published")
    }

    private static func deadLetters(_ installation: Installation) throws -> Int {
        let list = try installation.command("dead-letters", "list", "--format", "json").stdout
        return list.split(separator: "\n").count { $0.contains("denied") }
    }

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        // mosquitto and the bridge both want secrets for themselves.
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}
