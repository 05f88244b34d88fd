import Testing

@testable import Mosquitto
import TestSupport

@Suite("ReconnectStateMachine")
struct LinkStateMachineTests {
    typealias Target = ReconnectStateMachine.Target

    private var random = SplitMix64(seed: 7)
    private let now = ContinuousClock.now
    private let lost = ClientError(.connectionLost, operation: "stay connected")
    private let refused = ClientError(.refused, operation: "connect")

    private func machine(
        _ brokers: String...,
        policy: BackoffPolicy = BackoffPolicy(),
        persistence: ClientOptions.Reconnect.Persistence = .forever
    ) throws -> ReconnectStateMachine {
        ReconnectStateMachine(brokers: try brokers.map { try BrokerURL($0) }, policy: policy, persistence: persistence)
    }

    // MARK: Brokers and addresses

    @Test("the other brokers of the list are tried at once, and a whole round of failures makes it pause")
    mutating func round() throws {
        var machine = try machine("mqtt://a.example", "mqtt://b.example", "mqtt://c.example")
        #expect(machine.started().target == Target(broker: 0))
        #expect(machine.attemptFailed(refused, addresses: 1, at: now, using: &random).target == Target(broker: 1))
        #expect(machine.attemptFailed(refused, addresses: nil, at: now, using: &random).target == Target(broker: 2))
        let action = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
        #expect(action.pause != nil)
        #expect(action.attempt == 3)
        #expect(machine.pauseEnded().target == Target(broker: 0))
    }

    @Test("all addresses of a host are tried before the next broker")
    mutating func addresses() throws {
        var machine = try machine("mqtt://a.example", "mqtt://b.example")
        _ = machine.started()
        #expect(machine.attemptFailed(refused, addresses: 2, at: now, using: &random).target == Target(address: 1))
        #expect(machine.attemptFailed(refused, addresses: 2, at: now, using: &random).target == Target(broker: 1))
    }

    @Test("what the broker itself said is not asked again at its next address")
    mutating func sameBroker() throws {
        var machine = try machine("mqtt://a.example")
        _ = machine.started()
        let busy = ClientError(.rejected, operation: "connect", reason: .serverBusy)
        #expect(machine.attemptFailed(busy, addresses: 3, at: now, using: &random).pause != nil)
        #expect(machine.pauseEnded().target == Target())
    }

    @Test("after a park it begins with the first broker again, at once, and it is a first round")
    mutating func park() throws {
        var machine = try machine("mqtt://a.example", "mqtt://b.example")
        _ = machine.started()
        _ = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
        _ = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
        _ = machine.pauseEnded()
        _ = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
        #expect(!machine.isFirstRound)
        machine.connected(at: now)
        machine.parked(at: now)
        #expect(machine.resumed().target == Target(broker: 0))
        #expect(machine.isFirstRound)
    }

    @Test("parks are no fight for the client identifier, however short the connections")
    mutating func parkIsNoFight() throws {
        var machine = try machine("mqtt://a.example")
        _ = machine.started()
        for _ in 0..<ReconnectStateMachine.shortLivesInFight + 1 {
            machine.connected(at: now)
            machine.parked(at: now)
            _ = machine.resumed()
        }
        machine.connected(at: now)
        #expect(machine.connectionLost(lost, at: now, using: &random).pause != nil)
    }

    @Test("a broker that has lost our session has begun anew: its restarts are no fight, however short the connections")
    mutating func lostSessionIsNoFight() throws {
        var machine = try machine("mqtt://a.example")
        _ = machine.started()
        for _ in 0..<ReconnectStateMachine.shortLivesInFight + 1 {
            machine.connected(at: now, isSessionLost: true)
            #expect(machine.connectionLost(lost, at: now, using: &random).pause != nil)
        }
    }

    @Test("after a loss it begins with the first broker again")
    mutating func loss() throws {
        var machine = try machine("mqtt://a.example", "mqtt://b.example")
        _ = machine.started()
        _ = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
        machine.connected(at: now)
        #expect(machine.broker.host == "b.example")
        #expect(machine.connectionLost(lost, at: now + .seconds(100), using: &random).pause != nil)
        #expect(machine.pauseEnded().target == Target())
    }

    @Test("the first round is over when a broker is tried again, and begins anew with a connection")
    mutating func firstRound() throws {
        var machine = try machine("mqtt://a.example", "mqtt://b.example")
        _ = machine.started()
        #expect(machine.isFirstRound)
        _ = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
        #expect(machine.isFirstRound)
        _ = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
        _ = machine.pauseEnded()
        #expect(!machine.isFirstRound)
        machine.connected(at: now)
        _ = machine.connectionLost(lost, at: now, using: &random)
        _ = machine.pauseEnded()
        #expect(machine.isFirstRound)
    }

    // MARK: Pauses

    @Test(
        "a refused login makes it wait long, whatever other broker is there",
        arguments: [ClientError.Code.badCredentials, .notAuthorized]
    )
    mutating func login(code: ClientError.Code) throws {
        var machine = try machine("mqtt://127.0.0.1", "mqtt://127.0.0.2")
        let policy = BackoffPolicy()
        for _ in 0..<20 {
            let error = ClientError(code, operation: "connect")
            let pause = try #require(machine.attemptFailed(error, addresses: 1, at: now, using: &random).pause)
            #expect(pause >= policy.afterRefusedLogin)
            #expect(pause <= policy.afterRefusedLogin * 10)
        }
    }

    @Test("a broker on this machine is never left alone for more than 700 ms")
    mutating func local() throws {
        var machine = try machine("mqtt://localhost", "unix:///run/mqtt")
        var longest = Duration.zero
        for _ in 0..<100 {
            let action = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
            if let pause = action.pause { longest = max(longest, pause) }
        }
        #expect(longest > .milliseconds(350))
        #expect(longest <= .milliseconds(700))
    }

    @Test("a broker elsewhere is left alone for up to 30 s")
    mutating func remote() throws {
        var machine = try machine("mqtt://localhost", "mqtt://a.example")
        var longest = Duration.zero
        for _ in 0..<200 {
            let action = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
            if let pause = action.pause { longest = max(longest, pause) }
        }
        #expect(longest > .seconds(10))
        #expect(longest <= .seconds(30))
    }

    @Test("the pause ends when its length is over")
    mutating func pauseEnd() throws {
        var machine = try machine("mqtt://localhost")
        let action = machine.attemptFailed(refused, addresses: 1, at: now, using: &random)
        guard case .pause(let until, let length, _, let error) = action else {
            Issue.record("expected a pause")
            return
        }
        #expect(until == now + length)
        #expect(error == refused)
    }

    @Test(
        "the same illegal message again means one connection in 10 s",
        arguments: [ClientError.Code.illegalTopic, .protocolError],
        Seed.fresh(10)
    )
    func poison(code: ClientError.Code, seed: Seed) throws {
        var random = seed.random
        var machine = try machine("mqtt://127.0.0.1")
        let poison = ClientError(code, operation: "stay connected")
        var time = now
        var connections: [ContinuousClock.Instant] = []
        for _ in 0..<20 {
            connections.append(time)
            machine.connected(at: time)
            time += .milliseconds(5)
            #expect(machine.readsCarefully == (connections.count > 1))
            let action = machine.connectionLost(poison, at: time, using: &random)
            time += try #require(action.pause)
        }
        #expect(now.duration(to: connections[1]) < .seconds(1), "the first may be an accident")
        for (earlier, later) in zip(connections.dropFirst(), connections.dropFirst(2)) {
            #expect(earlier.duration(to: later) >= .seconds(10), "\(seed)")
        }
    }

    @Test("a connection that lived for a minute makes an old illegal message forgotten")
    mutating func forgottenPoison() throws {
        var machine = try machine("mqtt://127.0.0.1")
        let poison = ClientError(.illegalTopic, operation: "stay connected")
        for _ in 0..<3 {
            machine.connected(at: now)
            _ = machine.connectionLost(poison, at: now, using: &random)
        }
        machine.connected(at: now)
        let action = machine.connectionLost(lost, at: now + ReconnectStateMachine.soundLife, using: &random)
        #expect(try #require(action.pause) < .seconds(1))
        #expect(!machine.readsCarefully)
    }

    @Test("attempts are counted from the last connection")
    mutating func attempts() throws {
        var machine = try machine("mqtt://127.0.0.1")
        _ = machine.started()
        for attempt in 1...4 {
            #expect(machine.attemptFailed(refused, addresses: 1, at: now, using: &random).attempt == attempt)
            _ = machine.pauseEnded()
        }
        machine.connected(at: now)
        #expect(machine.connectionLost(lost, at: now + .seconds(10), using: &random).attempt == 0)
        _ = machine.pauseEnded()
        #expect(machine.attemptFailed(refused, addresses: 1, at: now, using: &random).attempt == 1)
    }

    // MARK: Giving up

    @Test(
        "what cannot get better by itself stops it",
        arguments: [
            ClientError(.unsupported, operation: "x"), ClientError(.takenOver, operation: "x"),
            ClientError(.rejected, operation: "x", reason: .unsupportedProtocolVersion),
            ClientError(.rejected, operation: "x", reason: .clientIdentifierNotValid),
        ]
    )
    mutating func stop(error: ClientError) throws {
        var first = try machine("mqtt://a.example", "mqtt://b.example")
        #expect(first.attemptFailed(error, addresses: 2, at: now, using: &random).stop == error)
        var second = try machine("mqtt://a.example")
        second.connected(at: now)
        #expect(second.connectionLost(error, at: now + .seconds(100), using: &random).stop == error)
    }

    @Test(
        "a file that cannot be read stops it before the first connection, and is tried again after one",
        arguments: [ClientError.Code.secret, .tlsConfiguration]
    )
    mutating func unreadable(code: ClientError.Code) throws {
        let error = ClientError(code, operation: "read password")
        var machine = try machine("mqtt://a.example")
        _ = machine.started()
        #expect(machine.attemptFailed(error, addresses: nil, at: now, using: &random).stop == error)
        machine.connected(at: now)
        _ = machine.connectionLost(lost, at: now + .seconds(10), using: &random)
        for _ in 0..<20 {
            _ = machine.pauseEnded()
            #expect(machine.attemptFailed(error, addresses: nil, at: now, using: &random).pause != nil)
        }
    }

    @Test(
        "it gives up after a whole round of failures, or after a loss, if it is to try only once",
        arguments: [ClientOptions.Reconnect.Persistence.never, .onceConnected]
    )
    mutating func persistence(_ persistence: ClientOptions.Reconnect.Persistence) throws {
        var machine = try machine("mqtt://a.example", "mqtt://b.example", persistence: persistence)
        _ = machine.started()
        #expect(machine.attemptFailed(refused, addresses: 1, at: now, using: &random).target == Target(broker: 1))
        #expect(machine.attemptFailed(refused, addresses: 1, at: now, using: &random).stop == refused)
        machine.connected(at: now)
        let action = machine.connectionLost(lost, at: now + .seconds(100), using: &random)
        #expect(action.stop == (persistence == .never ? lost : nil))
        #expect((action.pause == nil) == (persistence == .never))
    }

    @Test(
        "five short lives in a row end nothing: pauses grow from a second to a minute, and say why",
        arguments: Seed.fresh(10)
    )
    func fight(seed: Seed) throws {
        var random = seed.random
        var machine = try machine("mqtt://127.0.0.1")
        for _ in 1..<ReconnectStateMachine.shortLivesInFight {
            machine.connected(at: now)
            let pause = machine.connectionLost(lost, at: now + .milliseconds(200), using: &random).pause
            #expect(try #require(pause) <= .milliseconds(700))
        }
        var longest = Duration.zero
        for _ in 0..<100 {
            machine.connected(at: now)
            let action = machine.connectionLost(lost, at: now + .milliseconds(200), using: &random)
            guard case .pause(_, let pause, _, let error) = action else {
                Issue.record("it ended: \(action)")
                return
            }
            #expect(pause >= .seconds(1) && pause <= .seconds(60), "\(seed)")
            longest = max(longest, pause)
            #expect(error.code == .connectionLost)
            #expect(error.advice.contains("client_id") && error.advice.contains("the packet that was sent last"))
        }
        #expect(longest > .seconds(20), "\(seed)")
        machine.connected(at: now)
        let sound = machine.connectionLost(lost, at: now + .seconds(60), using: &random)
        #expect(try #require(sound.pause) < .milliseconds(700), "a connection that lasted ends it")
    }

    @Test("an end that has to do with a message is no sign of a fight, and ends no suspicion of one")
    mutating func explained() throws {
        var machine = try machine("mqtt://127.0.0.1")
        for _ in 0..<4 * ReconnectStateMachine.shortLivesInFight {
            machine.connected(at: now)
            let end = ReconnectStateMachine.End(didWork: true, isExplained: true)
            let pause = machine.connectionLost(lost, end, at: now + .milliseconds(5), using: &random).pause
            #expect(try #require(pause) <= .milliseconds(300))
        }
        for round in 1...ReconnectStateMachine.shortLivesInFight {
            machine.connected(at: now)
            _ = machine.connectionLost(lost, .init(isExplained: true), at: now, using: &random)
            machine.connected(at: now)
            let pause = try #require(machine.connectionLost(lost, at: now, using: &random).pause)
            #expect((pause >= .seconds(1)) == (round == ReconnectStateMachine.shortLivesInFight))
        }
    }

    @Test("a broker that accepts and ends the connection again is asked less and less often", arguments: [true, false])
    mutating func acceptsAndEnds(isLocal: Bool) throws {
        var machine = try machine(isLocal ? "mqtt://127.0.0.1" : "mqtt://a.example")
        let error = ClientError(.rejected, operation: "x", reason: .quotaExceeded)
        var time = now
        var connections = 0
        while now.duration(to: time) < .seconds(20) {
            machine.connected(at: time)
            connections += 1
            time += .milliseconds(5)
            time += try #require(machine.connectionLost(error, at: time, using: &random).pause)
        }
        #expect(connections < (isLocal ? 80 : 25), "\(connections)")
        // One that did work, or that has lasted, begins anew.
        machine.connected(at: time)
        let worked = machine.connectionLost(error, .init(didWork: true), at: time, using: &random)
        #expect(try #require(worked.pause) <= .milliseconds(300))
    }

    @Test("a connection that lasted makes pauses short again", arguments: [61, 30, 14, 2] as [Int])
    mutating func lasted(seconds: Int) throws {
        var machine = try machine("mqtt://localhost")
        var highest = Extreme.highest
        for _ in 0..<10 { _ = machine.attemptFailed(refused, addresses: 1, at: now, using: &highest) }
        machine.connected(at: now)
        let action = machine.connectionLost(lost, at: now + .seconds(seconds), using: &highest)
        #expect((try #require(action.pause) <= .milliseconds(300)) == (seconds >= 14))
    }

    @Test("what shows that nobody else took the connection ends the suspicion of a fight", arguments: 0..<3)
    mutating func noFight(kind: Int) throws {
        var machine = try machine("mqtt://127.0.0.1")
        for _ in 0..<4 * ReconnectStateMachine.shortLivesInFight {
            for _ in 1..<ReconnectStateMachine.shortLivesInFight {
                machine.connected(at: now)
                let pause = machine.connectionLost(lost, at: now + .milliseconds(200), using: &random).pause
                #expect(try #require(pause) < .seconds(1))
            }
            switch kind {
            case 0:  // a life that is long enough
                machine.connected(at: now)
                #expect(machine.connectionLost(lost, at: now + .seconds(3), using: &random).stop == nil)
            case 1:  // an end with a reason
                machine.connected(at: now)
                let error = ClientError(.rejected, operation: "x", reason: .serverShuttingDown)
                #expect(machine.connectionLost(error, at: now + .milliseconds(200), using: &random).stop == nil)
            default:  // a broker that was away
                #expect(machine.attemptFailed(refused, addresses: 1, at: now, using: &random).stop == nil)
            }
        }
    }

    @Test("whatever happens, pauses stay within the policy", arguments: Seed.fresh(20))
    func property(seed: Seed) throws {
        var random = seed.random
        var policy = BackoffPolicy()
        policy.afterRefusedLogin = .seconds(20)
        var machine = try machine("mqtt://a.example", "mqtt://b.example", policy: policy)
        let codes: [ClientError.Code] = [.refused, .badCredentials, .timedOut, .tlsExpired, .protocolError]
        var time = now
        for _ in 0..<500 {
            let error = ClientError(random.pick(codes), operation: "x")
            let action: ReconnectStateMachine.Action
            if random.chance(1, in: 3) {
                machine.connected(at: time)
                time += .seconds(random.below(100))
                action = machine.connectionLost(error, at: time, using: &random)
            } else {
                action = machine.attemptFailed(error, addresses: random.below(3), at: time, using: &random)
            }
            #expect(action.stop == nil, "\(seed)")
            guard let pause = action.pause else { continue }
            let isLogin = error.code == .badCredentials
            #expect(pause >= (isLogin ? policy.afterRefusedLogin : policy.shortest), "\(seed)")
            let longest = error.code == .protocolError ? policy.afterIllegalTopic * 10 : policy.longest
            #expect(pause <= (isLogin ? policy.afterRefusedLogin * 10 : longest), "\(seed)")
            time += pause
        }
    }
}

extension ReconnectStateMachine.Action {
    fileprivate var target: ReconnectStateMachine.Target? {
        if case .connect(let target) = self { target } else { nil }
    }

    fileprivate var pause: Duration? {
        if case .pause(_, let length, _, _) = self { length } else { nil }
    }

    fileprivate var attempt: Int? {
        if case .pause(_, _, let attempt, _) = self { attempt } else { nil }
    }

    fileprivate var stop: ClientError? {
        if case .stop(let error) = self { error } else { nil }
    }
}
