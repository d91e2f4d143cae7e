// swift-tools-version: 6.2
import PackageDescription

// Matchers alone, without the service: signatures.sh sets THUNDERSTORM_ONLY=IOC so that nothing else is built.
let package = Package(
    name: "SignatureBenchmarks",
    dependencies: [.package(name: "thunderstorm", path: "../..")],
    targets: [
        .executableTarget(
            name: "SignatureBenchmark",
            dependencies: ["Pipeline", "PipelineTesting", "PatternMatching", "IOC"].map {
                .product(name: $0, package: "thunderstorm")
            },
            swiftSettings: [
                .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
                .unsafeFlags(["-parse-as-library"]),
            ])
    ]
)
