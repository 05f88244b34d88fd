import MQTTBridge
import MQTTBridgeConfiguration
import Mosquitto
import TestSupport
import Testing

@Suite("TLSReader")
struct TLSReaderTests {
    private func read(_ keys: String) throws -> TLSOptions {
        let yaml = "brokers: {home: {url: mqtts://localhost, tls: {\(keys)}}}"
        return try BridgeConfiguration(yaml: yaml, file: "bridge.yaml", environment: [:]).brokers[0].options.tls
    }

    @Test("every key of tls arrives in its options, and paths begin at the file's folder")
    func tls() throws {
        let folder = try TemporaryDirectory()
        for name in ["ca.pem", "client.pem", "client.key", "pass"] { try folder.write("x", to: name) }
        let yaml = """
            brokers:
              home:
                url: mqtts://localhost
                username: me
                password: {file: pass}
                tls:
                  ca_file: ca.pem
                  certificate: ./client.pem
                  key: \(folder.path)/client.key
                  key_password: {file: pass}
                  alpn: mqtt
                  dangerously_skip_verification: true
            """
        let configuration = try BridgeConfiguration(contentsOf: try folder.write(yaml, to: "bridge.yaml"))
        let tls = try #require(configuration.brokers.first?.options.tls)
        #expect(tls.trust == .file(folder.file("ca.pem")))
        #expect(tls.clientCertificate?.certificate == folder.file("./client.pem"))
        #expect(tls.clientCertificate?.key == folder.file("client.key"))
        #expect(tls.clientCertificate?.keyPassword != nil)
        #expect(tls.applicationProtocol == "mqtt")
        #expect(tls.dangerouslySkipVerification)
        #expect(configuration.brokers.first?.options.password != nil)
    }

    @Test("a folder of authorities and a pre-shared key are options too")
    func otherTrust() throws {
        let folder = try read("ca_folder: /")
        #expect(folder.trust == .folder("/"))
        let key = try read("psk: {identity: me, key: {value: 0aF}}")
        #expect(key.preSharedKey?.identity == "me")
    }
}
