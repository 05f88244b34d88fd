extension Broken {
    static let logins: [Broken] = [
        broker(
            "a password as a text",
            "username: u\n    password: ▸hunter2",
            says: "a mapping, not",
            advises: "{file: PATH}, {env: NAME}, {credential: NAME} or {value: TEXT}"
        ),
        broker("a password of nobody", "▸password: {env: P}", says: "needs \"username\"", advises: "username: NAME"),
        broker(
            "an empty password",
            "username: u\n    ▸password: {}",
            says: "where it is kept",
            advises: "{file: PATH}"
        ),
        broker(
            "a password from two places",
            "username: u\n    password: {env: P, value: ▸x}",
            says: "exclude each other",
            advises: "Keep one"
        ),
        broker(
            "a password file that is not there",
            "username: u\n    password: {file: ▸/nowhere/password}",
            says: "cannot read the file: No such file",
            advises: "permissions"
        ),
        broker(
            "a variable with a dash",
            "username: u\n    password: {env: ▸a-b}",
            says: "name of an environment variable",
            advises: "{env: NAME}"
        ),
        broker(
            "a credential with a path",
            "username: u\n    password: {credential: ▸../x}",
            says: "name of a credential",
            advises: "{credential: NAME}"
        ),
        broker(
            "an empty value",
            "username: u\n    password: {value: ▸''}",
            says: "is empty",
            advises: "password: {value: TEXT}"
        ),
        Broken(
            "TLS without mqtts",
            "brokers:\n  home:\n    url: mqtt://h\n    ▸tls: {dangerously_skip_verification: true}\n",
            says: "no effect",
            advises: "mqtts://HOST"
        ),
        broker(
            "a CA that is not there",
            "tls: {ca_file: ▸/no/ca.pem}",
            says: "\"/no/ca.pem\": No such",
            advises: "path"
        ),
        broker("a folder for a file", "tls: {ca_file: ▸/tmp}", says: "it is a folder", advises: "path"),
        broker("a file for a folder", "tls: {ca_folder: ▸/dev/null}", says: "it is not a folder", advises: "path"),
        broker(
            "both kinds of authorities",
            "tls: {ca_file: /dev/null, ca_folder: ▸/tmp}",
            says: "exclude each other",
            advises: "Keep one"
        ),
        broker("no key", "tls: {▸certificate: /dev/null}", says: "needs \"key\"", advises: "key: client.key"),
        broker("no certificate", "tls: {▸key: /dev/null}", says: "needs \"certificate\"", advises: "client.pem"),
        broker("a password of no key", "tls: {▸key_password: {env: P}}", says: "needs \"key\"", advises: "client.key"),
        broker("yes for true", "tls: {dangerously_skip_verification: ▸yes}", says: "true or false", advises: ": true"),
        broker(
            "a key of nobody",
            "tls: {▸psk: {key: {env: P}}}",
            says: "\"identity\" is missing",
            advises: "identity:"
        ),
        broker(
            "a key that is not hexadecimal",
            "tls: {psk: {identity: me, key: {value: ▸xyz}}}",
            says: "hexadecimal",
            advises: "key: {value: TEXT}"
        ),
        broker(
            "a key and authorities",
            "tls: {ca_file: ▸/dev/null, psk: {identity: me, key: {env: P}}}",
            says: "no effect with \"psk\"",
            advises: "Remove one"
        ),
        broker("a will without a topic", "▸will: {payload: x}", says: "\"topic\" is missing", advises: "will: {topic:"),
        broker("a will to a wildcard", "will: {topic: ▸a/#}", says: "cannot be published to", advises: "bridge/status"),
        broker("a will of quality 3", "will: {topic: a, qos: ▸3}", says: "0, 1 or 2, not \"3\"", advises: "qos: 1"),
        Broken(
            "a delayed will on 3.1.1",
            "brokers: {home: {url: mqtt://h, version: 3.1.1, will: {topic: a, ▸delay: 5s}}}",
            says: "needs MQTT 5",
            advises: "version: 5"
        ),
    ]
}
