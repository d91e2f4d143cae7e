import Pipeline

// The parts of the service's configuration that depend on several settings at once.

extension Settings {
    // Where Warning begins under both level rules.
    private static let maliciousScore = 60

    /// Which samples are kept.
    ///
    /// - Throws: `ConfigurationError` for values that cannot work or contradict each other.
    func storage(uploads: String) throws(ConfigurationError) -> StoragePolicy {
        var policy = StoragePolicy()
        switch storeSamples ?? "none" {
        case "none": policy.minimumScore = nil
        case "all": policy.minimumScore = 0
        case "malicious": policy.minimumScore = Self.maliciousScore
        default:
            throw ConfigurationError(
                "server-store-samples is '\(storeSamples ?? "")'; write all, malicious or none")
        }
        if let score = try checked(storeSamplesScore, "store-samples-score", 0...200) {
            guard storeSamples == nil else {
                throw ConfigurationError("server-store-samples and store-samples-score say the same; use one of them")
            }
            // No score is above 100: THOR's 200 turns it off.
            policy.minimumScore = score > 100 ? nil : score
        }
        policy.directory = storeSamplesDirectory ?? uploads + "/samples"
        if let size = storeSamplesQuota {
            guard let bytes = byteCount(size), bytes > 0 else {
                throw ConfigurationError("store-samples-quota is '\(size)'; write a number of bytes or as in 100GB")
            }
            policy.quota = bytes
        }
        policy.maximumAge = try checked(storeSamplesAge, "store-samples-age", 1...36_500).map { Int64($0) * 86_400 }
        policy.viewDirectory = viewDirectory
        if viewDirectory != nil, policy.minimumScore == nil {
            throw ConfigurationError(
                "vfs-dir shows stored samples and none are stored; add --server-store-samples all or malicious")
        }
        return policy
    }

    /// How many findings are kept for the page, and how long; nil keeps none.
    ///
    /// - Throws: `ConfigurationError` for values out of range.
    func findings() throws(ConfigurationError) -> FindingStore.Limits? {
        var limits = FindingStore.Limits()
        limits.count = try checked(findingsLimit, "findings-limit", 0...100_000_000) ?? limits.count
        limits.age = try checked(findingsAge, "findings-age", 1...36_500).map { Int64($0) * 86_400 } ?? limits.age
        return limits.count > 0 ? limits : nil
    }

    /// TLS, tokens and limits; refuses to be open to others by mistake.
    ///
    /// - Throws: `ConfigurationError` naming what is missing.
    func secure(_ configuration: inout ServiceConfiguration) throws(ConfigurationError) {
        switch (serverCertificate, serverKey) {
        case (nil, nil):
            guard serverClientAuthorities == nil else {
                throw ConfigurationError("server-client-ca needs TLS: add --server-cert and --server-key")
            }
        case (let certificate?, let key?):
            configuration.certificates = Certificates.Files(
                certificate: certificate, key: key, clientAuthorities: serverClientAuthorities)
        default: throw ConfigurationError("server-cert and server-key belong together; one of them is missing")
        }
        configuration.tokenFile = serverTokens
        configuration.sourceAllowance.uploadsPerMinute = try checked(
            sourceRateLimit, "source-rate-limit", AccessToken.uploadsPerMinuteRange)
        if let size = sourceQuota {
            guard let bytes = byteCount(size), bytes > 0 else {
                throw ConfigurationError("source-quota is '\(size)'; write a number of bytes a day or as in 10GB")
            }
            configuration.sourceAllowance.bytesPerDay = bytes
        }
        let isGuarded = configuration.certificates != nil || configuration.tokenFile != nil
        guard isGuarded || allowInsecure == true || Self.isLoopback(configuration.host) else {
            throw ConfigurationError(
                "server-host \(configuration.host) can be reached by others, and there is neither TLS nor a token: add "
                    + "--server-cert and --server-key, or --server-tokens (`thunderstorm token create`), or say "
                    + "--allow-insecure if a proxy or firewall guards it")
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && parts.allSatisfy { $0 != nil } && parts[0] == 127
    }
}
