// swift-tools-version: 6.2
import PackageDescription

// A stage in a package of its own, its tests, and a `thunderstorm` program that has it. Outside of this repository the
// dependency is `.package(url: "…/thunderstorm", branch: "main")`.

let package = Package(
    name: "banner-stage",
    products: [.library(name: "BannerStage", targets: ["BannerStage"])],
    dependencies: [.package(name: "thunderstorm", path: "../..")],
    targets: [
        .target(name: "BannerStage", dependencies: [.product(name: "Pipeline", package: "thunderstorm")]),
        .testTarget(
            name: "BannerStageTests",
            dependencies: [
                "BannerStage", .product(name: "Pipeline", package: "thunderstorm"),
                .product(name: "PipelineTesting", package: "thunderstorm"),
            ],
            exclude: ["Golden"]),
        .executableTarget(
            name: "case-thunderstorm",
            dependencies: [
                "BannerStage", .product(name: "Plugins", package: "thunderstorm"),
                .product(name: "Thunderstorm", package: "thunderstorm"),
            ]),
    ]
)
