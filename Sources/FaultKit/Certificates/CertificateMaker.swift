internal import Foundation

/// Makes certificates in a folder with `openssl`.
///
/// `openssl ca` signs the identities: in OpenSSL 3.0 neither `req` nor `x509` can make an expired certificate.
struct CertificateMaker {
    let folder: TemporaryDirectory

    func makeAuthority(_ file: String, name: String) throws {
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
            "-subj", "/CN=\(name)", "-keyout", folder.file("\(file).key"), "-out", folder.file("\(file).crt"),
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])
        try folder.write("", to: "\(file).index")
        try folder.write(
            """
            [ca]
            default_ca = test
            [test]
            database = \(folder.file("\(file).index"))
            new_certs_dir = \(folder.path)
            certificate = \(folder.file("\(file).crt"))
            private_key = \(folder.file("\(file).key"))
            default_md = sha256
            policy = names
            rand_serial = yes
            unique_subject = no
            [names]
            commonName = supplied

            """,
            to: "\(file).cnf"
        )
    }

    func makeIdentity(
        _ file: String,
        name: String,
        extension line: String,
        authority: String = "ca",
        validity: (start: String, end: String) = ("20200101000000Z", "20491231000000Z")
    ) throws -> TestCertificates.Identity {
        let (request, extensions) = (folder.file("\(file).csr"), "\(file).ext")
        try openssl([
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=\(name)", "-keyout", folder.file("\(file).key"), "-out", request,
        ])
        try folder.write("\(line)\n", to: extensions)
        try openssl([
            "ca", "-batch", "-notext", "-config", folder.file("\(authority).cnf"), "-in", request,
            "-out", folder.file("\(file).crt"), "-extfile", folder.file(extensions),
            "-startdate", validity.start, "-enddate", validity.end,
        ])
        return .init(certificate: folder.file("\(file).crt"), key: folder.file("\(file).key"))
    }

    /// Makes a folder for `capath`: OpenSSL finds an authority there by the hash of its name, as `HASH.0`.
    func makeHashedFolder(_ file: String) throws -> String {
        let path = folder.file("authorities")
        let hash = try openssl(["x509", "-hash", "-noout", "-in", folder.file(file)])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try FileManager.default.copyItem(atPath: folder.file(file), toPath: "\(path)/\(hash).0")
        return path
    }

    func encryptKey(_ file: String, password: String) throws -> String {
        let path = folder.file("\(file)-encrypted.key")
        try openssl([
            "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", folder.file("\(file).key"), "-out", path,
            "-passout", "pass:\(password)",
        ])
        return path
    }

    @discardableResult
    private func openssl(_ arguments: [String]) throws -> String {
        let outcome = try Shell.run("openssl", arguments)
        guard outcome.status.isSuccess else {
            throw FaultKitError("openssl \(arguments.joined(separator: " ")): \(outcome.stderr)")
        }
        return outcome.stdout
    }
}
