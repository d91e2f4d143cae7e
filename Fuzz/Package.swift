// swift-tools-version: 6.2
import PackageDescription

// One executable per parser. Built with `--sanitize=fuzzer` by run.sh, which sets THUNDERSTORM_ONLY=All so that the
// HTTP stack stays out.

let names = [
    "FileType", "Decompress", "LogLines", "EVTX", "RegistryHive", "LNK", "Prefetch", "JumpList", "UserArtefacts",
    "Persistence", "MemoryDump", "Archive", "Email", "IOC",
    "Sigma", "YARA", "Triage",
]

let package = Package(
    name: "Fuzz",
    dependencies: [.package(name: "thunderstorm", path: "..")],
    targets: [
        .target(
            name: "FuzzSupport",
            dependencies: [
                .product(name: "Pipeline", package: "thunderstorm"),
                .product(name: "PipelineTesting", package: "thunderstorm"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
        + names.map { name in
            .executableTarget(
                name: "Fuzz\(name)",
                dependencies: [
                    "FuzzSupport",
                    .product(name: "Pipeline", package: "thunderstorm"),
                    .product(name: "PipelineTesting", package: "thunderstorm"),
                ]
                    // The layouts of collections are told by the pipeline itself.
                    + (name == "Triage" ? [] : [.product(name: name, package: "thunderstorm")]),
                swiftSettings: [.swiftLanguageMode(.v6), .unsafeFlags(["-parse-as-library"])])
        }
)
