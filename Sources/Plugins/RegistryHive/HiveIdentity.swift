import Pipeline

// Which hive of Windows a file is, by the keys below its root and, where they do not tell, by its name. It decides
// which artefacts are looked for and under which path the live registry would show it (`TargetObject` of Sigma rules).

/// Which hive of Windows a file is.
public enum HiveIdentity: String, Sendable {
    /// `HKLM\SOFTWARE`.
    case software
    /// `HKLM\System`.
    case system
    /// `HKLM\SAM`.
    case sam
    /// `HKLM\SECURITY`.
    case security
    /// A user's settings (`NTUSER.DAT`).
    case user
    /// A user's classes (`UsrClass.dat`).
    case userClasses
    /// `Amcache.hve`.
    case amcache
    /// Boot configuration.
    case bootConfiguration
    /// `HKLM\DRIVERS`.
    case drivers
    /// `HKLM\COMPONENTS`.
    case components
    /// Another one.
    case other

    /// Recognises a hive.
    public init(of hive: Hive, path: String) {
        self = Self.byKeys(hive) ?? Self.byName(path) ?? Self.byName(hive.header?.fileName ?? "") ?? .other
    }

    private static func byKeys(_ hive: Hive) -> HiveIdentity? {
        guard let root = hive.root else { return nil }
        func has(_ path: String) -> Bool { hive.key(at: path, below: root) != nil }
        if has("Root\\InventoryApplicationFile") || has("Root\\File") || has("Root\\InventoryApplication") {
            return .amcache
        }
        if has("Select"), has("ControlSet001") || has("ControlSet002") { return .system }
        if has("SAM\\Domains") { return .sam }
        if has("Policy\\PolAdtEv") || has("Policy\\Accounts") || has("Policy\\Secrets") { return .security }
        if has("Microsoft\\Windows NT\\CurrentVersion") { return .software }
        if has("Software\\Microsoft") || has("Control Panel") { return .user }
        if has("Local Settings\\Software") || has("Local Settings\\MuiCache") { return .userClasses }
        if has("Objects"), has("Description") { return .bootConfiguration }
        if has("DriverDatabase") { return .drivers }
        if has("CanonicalData") || has("DerivedData") { return .components }
        return nil
    }

    // The letters that a name begins with: copies are named `SYSTEM (2)`, `ntuser_old.dat` and the like.
    private static func byName(_ path: String) -> HiveIdentity? {
        let word = lastPart(path).lowercased().prefix { $0.isLetter }
        return names[String(word)]
    }

    private static let names: [String: HiveIdentity] = [
        "software": .software, "system": .system, "sam": .sam, "security": .security, "ntuser": .user,
        "usrclass": .userClasses, "amcache": .amcache, "bcd": .bootConfiguration, "drivers": .drivers,
        "components": .components, "default": .user,
    ]

    /// The path of the root in the live registry, as Sysmon writes it; empty when it is not known.
    ///
    /// A user's hive does not tell its SID: it is shown as `HKCU`, which is what rules are written against.
    public var livePath: String {
        switch self {
        case .software: "HKLM\\SOFTWARE"
        case .system: "HKLM\\System"
        case .sam: "HKLM\\SAM"
        case .security: "HKLM\\SECURITY"
        case .user: "HKCU"
        case .userClasses: "HKCU\\Software\\Classes"
        case .amcache: "\\REGISTRY\\A\\Amcache"
        case .bootConfiguration: "HKLM\\BCD00000000"
        case .drivers: "HKLM\\DRIVERS"
        case .components: "HKLM\\COMPONENTS"
        case .other: ""
        }
    }
}

/// The part of a path after its last separator of either kind.
func lastPart(_ path: String) -> Substring {
    guard let separator = path.utf8.lastIndex(where: { $0 == 0x2F || $0 == 0x5C }) else { return path[...] }
    return path[path.utf8.index(after: separator)...]
}

extension Hive {
    /// Name of the control set of a SYSTEM hive that was in use (`ControlSet001`); nil when `Select` does not say.
    public var currentControlSet: String? {
        guard let select = key(at: "Select"), let current = number("Current", of: select), current < 1000 else {
            return nil
        }
        let digits = String(current)
        return "ControlSet" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }
}
