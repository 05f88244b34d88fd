import Testing

@testable import Mosquitto
import TestSupport

@Suite("LinkStateMachine")
struct LinkStateMachineTests {
    typealias Target = LinkStateMachine.Target

    private var random = SplitMix64(state: 7)
    private let now = ContinuousClock.now
    private let lost = ClientError(.connectionLost, operation: "stay connected")
    private let refused = ClientError(.refused, operation: "connect")

    private func machine(
        _ brokers: String...,
        policy: BackoffPolicy = BackoffPolicy(),
        persistence: ClientOptions.Persistence = .forever
    ) throws -> LinkStateMachine {
        LinkStateMachine(brokers: try brokers.map { try BrokerURL($0) }, policy: policy, persistence: persistence)
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
        for _ in 0..<LinkStateMachine.shortLivesInFight + 1 {
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
        for _ in 0..<LinkStateMachine.shortLivesInFight + 1 {
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

    @Test("the same illegal message again means one connection in 10 s", arguments: Seed.fresh(10))
    func poison(seed: Seed) throws {
        var random = seed.random
        var machine = try machine("mqtt://127.0.0.1")
        let poison = ClientError(.poisonTopic, operation: "stay connected")
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
        let poison = ClientError(.poisonTopic, operation: "stay connected")
        for _ in 0..<3 {
            machine.connected(at: now)
            _ = machine.connectionLost(poison, at: now, using: &random)
        }
        machine.connected(at: now)
        let action = machine.connectionLost(lost, at: now + LinkStateMachine.soundLife, using: &random)
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
            ClientError(.tlsConfiguration, operation: "x"), ClientError(.secret, operation: "x"),
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
        "it gives up after a whole round of failures, or after a loss, if it is to try only once",
        arguments: [ClientOptions.Persistence.never, .onceConnected]
    )
    mutating func persistence(_ persistence: ClientOptions.Persistence) throws {
        var machine = try machine("mqtt://a.example", "mqtt://b.example", persistence: persistence)
        _ = machine.started()
        #expect(machine.attemptFailed(refused, addresses: 1, at: now, using: &random).target == Target(broker: 1))
        #expect(machine.attemptFailed(refused, addresses: 1, at: now, using: &random).stop == refused)
        machine.connected(at: now)
        let action = machine.connectionLost(lost, at: now + .seconds(100), using: &random)
        #expect(action.stop == (persistence == .never ? lost : nil))
        #expect((action.pause == nil) == (persistence == .never))
    }

    @Test("five short lives in a row are a fight for the client identifier, and it gives in")
    mutating func fight() throws {
        var machine = try machine("mqtt://127.0.0.1")
        for _ in 1..<LinkStateMachine.shortLivesInFight {
            machine.connected(at: now)
            #expect(machine.connectionLost(lost, at: now + .milliseconds(200), using: &random).pause != nil)
        }
        machine.connected(at: now)
        let error = machine.connectionLost(lost, at: now + .milliseconds(200), using: &random).stop
        #expect(error?.code == .takenOver)
        #expect(error?.advice.contains("client_id") == true)
    }

    @Test("what shows that nobody else took the connection ends the suspicion of a fight", arguments: 0..<3)
    mutating func noFight(kind: Int) throws {
        var machine = try machine("mqtt://127.0.0.1")
        for _ in 0..<4 * LinkStateMachine.shortLivesInFight {
            for _ in 1..<LinkStateMachine.shortLivesInFight {
                machine.connected(at: now)
                #expect(machine.connectionLost(lost, at: now + .milliseconds(200), using: &random).stop == nil)
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
            let action: LinkStateMachine.Action
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
            #expect(pause <= (isLogin ? policy.afterRefusedLogin * 10 : policy.longest), "\(seed)")
            time += pause
        }
    }
}

extension LinkStateMachine.Action {
    fileprivate var target: LinkStateMachine.Target? {
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
