// swift-tools-version: 6.2
import PackageDescription

// BenchmarkTool stands alone; ParserBenchmark uses the parsers. The scripts set THUNDERSTORM_ONLY=All, so that the HTTP
// stack stays out.

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "thunderstorm", path: "..")],
    targets: [
        .executableTarget(
            name: "BenchmarkTool", swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "ParserBenchmark",
            dependencies: ["Pipeline", "FileType", "EVTX", "RegistryHive", "LogLines", "IOC"].map {
                .product(name: $0, package: "thunderstorm")
            },
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    ]
)
