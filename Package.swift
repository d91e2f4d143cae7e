// swift-tools-version: 6.2
import PackageDescription

// Thunderstorm: one target per stage, imports checked by the build (Command -> Service -> Plugins -> a format -> Pipeline).
//
// THUNDERSTORM_ONLY=EVTX,IOC (or All) narrows the package to the pipeline, those plugins and their tests: a parser is
// built and tested without the HTTP stack (see CONTRIBUTING.md). The name Service adds the service
// without the plugins.

let serviceSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// Members are visible only where their module is imported. Not beside NIO: its C modules include the same system headers
// as Glibc does, and which module then owns `stat` or `timespec` depends on the order of files (Swift 6.3.1), so that a
// file with `import Glibc` compiles today and not tomorrow.
let settings = serviceSettings + [.enableUpcomingFeature("MemberImportVisibility")]

/// One folder under Sources/Plugins, one folder under Tests/PluginTests, one target each.
struct Plugin {
    var name: String
    var uses: [Target.Dependency] = []
    /// What its tests need besides: a matcher is tested on records of real parsers.
    var testUses: [Target.Dependency] = []
}

let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let plugins: [Plugin] = [
    Plugin(name: "FileType"),
    Plugin(name: "Archive", uses: ["CArchive"], testUses: ["FileType", "Decompress"]),
    Plugin(name: "Decompress", uses: ["CZlib", "CLZMA"]),
    Plugin(name: "Email", testUses: ["FileType"]),
    Plugin(name: "LogLines"),
    Plugin(name: "PatternMatching", uses: ["CHyperscan", "CPCRE2"]),
    Plugin(name: "CommandLines"),
    Plugin(name: "EVTX"),
    Plugin(name: "RegistryHive", uses: ["LNK", "CommandLines"], testUses: ["Sigma", "Archive", "FileType"]),
    Plugin(name: "LNK"),
    Plugin(name: "Prefetch"),
    Plugin(name: "JumpList", uses: ["LNK"]),
    Plugin(name: "UserArtefacts", uses: ["CommandLines"]),
    Plugin(name: "Persistence", uses: ["CommandLines", "CXML", "CLibXML2"]),
    Plugin(name: "MemoryDump", testUses: ["FileType", "YARA", "IOC"]),
    Plugin(name: "FileHeuristics"),
    Plugin(name: "ExternalCommand", uses: ["CLinux"]),
    Plugin(name: "IOC", uses: ["PatternMatching", yams]),
    Plugin(name: "YARA", uses: ["CYARA"]),
    Plugin(name: "Sigma", uses: ["PatternMatching", yams], testUses: ["EVTX"]),
]

let libraries: [Target] = [
    .systemLibrary(name: "CYARA", path: "Sources/CYARA", pkgConfig: "yara", providers: [.apt(["libyara-dev"])]),
    .systemLibrary(
        name: "CHyperscan", path: "Sources/CHyperscan", pkgConfig: "libhs", providers: [.apt(["libhyperscan-dev"])]),
    .systemLibrary(
        name: "CPCRE2", path: "Sources/CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(
        name: "CArchive", path: "Sources/CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLZMA", path: "Sources/CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
    .systemLibrary(
        name: "CLibXML2", path: "Sources/CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    .target(name: "CXML", dependencies: ["CLibXML2"]),
]

let asked = Context.environment["THUNDERSTORM_ONLY"].map { names in
    names == "All" ? Set(plugins.map(\.name)) : Set(names.split(separator: ",").map(String.init))
}

// A plugin that was asked for brings the plugins whose parsers it uses.
func withUsed(_ names: Set<String>) -> Set<String> {
    var all = names
    for plugin in plugins where names.contains(plugin.name) {
        for case .byNameItem(let used, _) in plugin.uses + plugin.testUses
        where plugins.contains(where: { $0.name == used }) {
            all.formUnion(withUsed([used]))
        }
    }
    return all
}

let chosen = asked.map { names in plugins.filter { withUsed(names).contains($0.name) } } ?? plugins
let withService = asked?.contains("Service") ?? true
let chosenLibraries = libraries.filter { library in
    withService && library.name == "CZlib"
        || chosen.contains { plugin in
            plugin.uses.contains {
                if case .byNameItem(let name, _) = $0 { return name == library.name }
                return false
            }
        }
}

var products: [Product] = [
    .library(name: "Pipeline", targets: ["Pipeline"]),
    .library(name: "PipelineTesting", targets: ["PipelineTesting"]),
]
products += chosen.map { .library(name: $0.name, targets: [$0.name]) }

var dependencies: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
]

var targets: [Target] = [
    .target(name: "CLinux"),
    .target(name: "CDigests"),
    .target(
        name: "Pipeline",
        dependencies: ["CLinux", "CDigests", .product(name: "Crypto", package: "swift-crypto")],
        swiftSettings: settings + [.enableExperimentalFeature("Lifetimes")]),
    .target(name: "PipelineTesting", dependencies: ["Pipeline"], swiftSettings: settings),
    .testTarget(
        name: "PipelineTests",
        dependencies: ["Pipeline", "PipelineTesting", .product(name: "Crypto", package: "swift-crypto")],
        swiftSettings: settings),
]
targets += chosenLibraries
for plugin in chosen {
    targets.append(
        .target(
            name: plugin.name, dependencies: ["Pipeline"] + plugin.uses, path: "Sources/Plugins/\(plugin.name)",
            swiftSettings: settings))
    targets.append(
        .testTarget(
            name: "\(plugin.name)Tests",
            dependencies: ["Pipeline", "PipelineTesting", .byName(name: plugin.name)] + plugin.uses + plugin.testUses,
            path: "Tests/PluginTests/\(plugin.name)", swiftSettings: settings))
}

if withService {
    dependencies += [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ]
    targets += [
        .target(
            name: "ThunderstormService",
            dependencies: [
                "Pipeline", "CLinux", "CZlib", yams,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/thunderstorm/Service", swiftSettings: serviceSettings),
        // The engine process of tests: its one stage traps, hangs and hogs memory when a sample says so.
        .executableTarget(
            name: "EngineTestHost", dependencies: ["Pipeline", "ThunderstormService"], path: "Tests/EngineTestHost",
            swiftSettings: settings),
        .testTarget(
            name: "ServiceTests",
            dependencies: [
                "Pipeline", "ThunderstormService", "PipelineTesting", "CLinux", "EngineTestHost",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: ["Golden"], swiftSettings: serviceSettings),
    ]
}

if asked == nil {
    products += [
        .executable(name: "thunderstorm", targets: ["thunderstorm"]),
        .library(name: "Plugins", targets: ["Plugins"]),
        .library(name: "Thunderstorm", targets: ["ThunderstormCommand"]),
    ]
    dependencies.append(.package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"))
    targets += [
        .target(
            name: "Plugins", dependencies: ["Pipeline"] + chosen.map { .byName(name: $0.name) },
            path: "Sources/Plugins/Builtins", swiftSettings: settings),
        .target(
            name: "ThunderstormCommand",
            dependencies: [
                "Pipeline", "ThunderstormService",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/thunderstorm/Command", swiftSettings: settings),
        .executableTarget(
            name: "thunderstorm", dependencies: ["Plugins", "ThunderstormCommand"],
            path: "Sources/thunderstorm/Main", swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["Pipeline", "Plugins", "ThunderstormService", "ThunderstormCommand", "PipelineTesting"],
            swiftSettings: settings),
    ]
}

let package = Package(
    name: "thunderstorm", products: products, dependencies: dependencies, targets: targets)
